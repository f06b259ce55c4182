"""ApiNode: instance, target registration and credentials of one API server."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.lookups.cluster_record import record_parameter
from components.naming import ApiServer
from components.nodes.instance import NodeArgs, node_instance
from components.nodes.node_credentials import NodeCredentials, NodeCredentialsArgs
from components.nodes.status_parameter import status_parameter
from components.pki.authorities import CertificateAuthority
from components.pki.certificates import Authority, CertificateSpec
from node.contract import API_PORT


@dataclass(frozen=True, kw_only=True)
class ApiNodeArgs(NodeArgs):
    """What an ApiNode is built from, besides what every node is.

    The gates hold back instance and target.
    """

    node: ApiServer
    """Name and zone."""
    target_group_arn: pulumi.Input[str]
    """Target group of the load balancer, where the API server registers."""
    certificates: tuple[CertificateSpec, ...]
    """The node's certificates."""
    authorities: Mapping[Authority, CertificateAuthority]
    """The CAs that sign them."""
    files: Mapping[str, pulumi.Input[str]]
    """Files that every API server has, by name."""
    user_data: pulumi.Input[str]
    """Encoded user data."""


class ApiNode(pulumi.ComponentResource):
    """One API server VM. Its successor is registered with the load balancer before it goes."""

    instance: aws.ec2.Instance
    """The instance."""
    target: aws.lb.TargetGroupAttachment
    """Its registration with the load balancer."""

    def __init__(
        self, name: str, args: ApiNodeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:ApiNode", name, {}, opts)
        node = args.node.name
        credentials = NodeCredentials(
            name,
            NodeCredentialsArgs(
                path=args.paths.secrets(node),
                certificates=args.certificates,
                authorities=args.authorities,
                lifetime=args.lifetime,
                files=args.files,
                kms_key_arn=args.kms_key_arn,
                policy=args.policy,
                tags=args.tags,
            ),
            pulumi.ResourceOptions(parent=self),
        )
        status = status_parameter(name, node=node, paths=args.paths, tags=args.tags, parent=self)
        zone = record_parameter(
            name, node, args.node.zone, paths=args.paths, tags=args.tags, parent=self
        )
        self.instance = node_instance(
            name,
            args,
            instance_profile=credentials.instance_profile_name,
            user_data=args.user_data,
            hooks=args.gates.server,
            depends_on=[credentials, status, zone],
            parent=self,
        )
        self.target = aws.lb.TargetGroupAttachment(
            name,
            target_group_arn=args.target_group_arn,
            target_id=self.instance.private_ip,
            port=API_PORT,
            opts=pulumi.ResourceOptions(parent=self, hooks=args.gates.target),
        )
        args.gates.declare_current(self.instance, self.target)
        self.register_outputs({"instanceId": self.instance.id})
