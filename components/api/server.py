"""ApiNode: instance, target registration and credentials of one API server."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.gates import Gates
from components.lookups.cluster_record import record_parameter
from components.naming import ApiServer, ParameterPaths
from components.nodes.instance import REPLACE_ON_CHANGES, metadata_options, root_disk
from components.nodes.node_credentials import NodeCredentials, NodeCredentialsArgs
from components.nodes.status_parameter import status_parameter
from components.pki.authorities import CertificateAuthority
from components.pki.certificates import Authority, CertificateSpec
from components.tags import named
from config.cluster_settings import PkiSettings
from node.contract import API_PORT


@dataclass(frozen=True, kw_only=True)
class ApiNodeArgs:
    """What an ApiNode is built from."""

    node: ApiServer
    """Name and zone."""
    paths: ParameterPaths
    """Where the node reads and reports."""
    subnet_id: pulumi.Input[str]
    """A private subnet of the node's zone."""
    security_group_id: pulumi.Input[str]
    """Security group of the tier."""
    placement_group: pulumi.Input[str]
    """Spread placement group of the tier."""
    image_id: pulumi.Input[str]
    """Machine image."""
    instance_type: pulumi.Input[str]
    """Instance type."""
    target_group_arn: pulumi.Input[str]
    """Target group of the load balancer, where the API server registers."""
    kms_key_arn: pulumi.Input[str]
    """KMS key of the root volume and of the node's files."""
    certificates: tuple[CertificateSpec, ...]
    """The node's certificates."""
    authorities: Mapping[Authority, CertificateAuthority]
    """The CAs that sign them."""
    lifetime: PkiSettings
    """Days of validity, and the epoch of the certificates."""
    files: Mapping[str, pulumi.Input[str]]
    """Files that every API server has, by name."""
    policy: pulumi.Input[str]
    """What the node's role may do, as a policy document."""
    user_data: pulumi.Input[str]
    """Encoded user data."""
    gates: Gates
    """What holds back the instance or the target while the tier cannot spare it."""
    depends_on: Sequence[pulumi.Resource]
    """What must be there before the instance boots, the API server before it included."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


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
        self.instance = aws.ec2.Instance(
            name,
            ami=args.image_id,
            instance_type=args.instance_type,
            subnet_id=args.subnet_id,
            vpc_security_group_ids=[args.security_group_id],
            iam_instance_profile=credentials.instance_profile_name,
            placement_group=args.placement_group,
            root_block_device=root_disk(name, args.kms_key_arn, args.tags),
            metadata_options=metadata_options(),
            user_data_base64=args.user_data,
            user_data_replace_on_change=True,
            tags=named(args.tags, name),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args.depends_on, credentials, status, zone],
                hooks=args.gates.server,
                replace_on_changes=REPLACE_ON_CHANGES,
            ),
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
