"""ApiNode: instance, target registration and credentials of one API server."""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.api.load_balancer import ApiLoadBalancer
from components.lookups.cluster_record import record_parameter
from components.naming import ApiServer
from components.nodes.credentials import NodeCredentials, NodeCredentialsArgs
from components.nodes.foundation import Foundation
from components.nodes.instance import REPLACE_ON_CHANGES, metadata_options, root_disk
from components.nodes.role_policy import api_node_policy
from components.nodes.status import status_parameter
from components.pki.certificates import api_server_certificates
from components.pki.encryption_at_rest import encryption_configuration
from components.tags import named
from components.userdata import api_server, encode
from node.contract import API_PORT


@dataclass(frozen=True, kw_only=True)
class ApiNodeArgs:
    """What an ApiNode is built from."""

    foundation: Foundation
    """What all nodes share."""
    node: ApiServer
    """Name and zone."""
    group_id: pulumi.Input[str]
    """Security group."""
    placement_group: pulumi.Input[str]
    """Spread placement group of the tier."""
    endpoint: ApiLoadBalancer
    """The balancer to stand behind."""
    after: Sequence[pulumi.Resource]
    """What must be there before this machine boots, the node before it included."""


class ApiNode(pulumi.ComponentResource):
    """One API server with its controllers. It keeps nothing, and knows of no other."""

    instance: aws.ec2.Instance
    """The machine."""
    target: aws.lb.TargetGroupAttachment
    """Its registration with the balancer."""

    def __init__(
        self, name: str, args: ApiNodeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:ApiNode", name, {}, opts)
        self._name, self._args = name, args
        self.instance = self._instance(self._credentials())
        self.target = aws.lb.TargetGroupAttachment(
            name,
            target_group_arn=args.endpoint.target_group_arn,
            target_id=self.instance.private_ip,
            port=API_PORT,
            opts=pulumi.ResourceOptions(parent=self, hooks=args.foundation.gates.target),
        )
        args.foundation.gates.declare_current(self.instance, self.target)
        self.register_outputs({"instance_id": self.instance.id})

    def _credentials(self) -> NodeCredentials:
        foundation, node = self._args.foundation, self._args.node
        pki, account = foundation.pki, foundation.environment.account
        kubernetes = pki.authorities["kubernetes"]
        files: dict[str, pulumi.Input[str]] = {
            "ca.crt": kubernetes.cert_pem,
            "ca.key": kubernetes.key_pem,
            "etcd-ca.crt": pki.authorities["etcd"].cert_pem,
            "front-proxy-ca.crt": pki.authorities["front-proxy"].cert_pem,
            "sa.key": pki.service_account_key_pem,
            "sa.pub": pki.service_account_public_key_pem,
            "encryption.yaml": pki.encryption_seed_pem.apply(encryption_configuration),
        }
        leaves = api_server_certificates(
            node,
            service_cidr=foundation.settings.network.service_cidr,
            balancer=self._args.endpoint.dns_name,
        )
        policy = pulumi.Output.all(foundation.key_arn, foundation.bucket.arn).apply(
            lambda arns: api_node_policy(
                node.name, foundation.paths, account, key_arn=arns[0], bucket_arn=arns[1]
            )
        )
        return NodeCredentials(
            self._name,
            NodeCredentialsArgs(
                foundation=foundation, node=node.name, leaves=leaves, files=files, policy=policy
            ),
            pulumi.ResourceOptions(parent=self),
        )

    def _instance(self, credentials: NodeCredentials) -> aws.ec2.Instance:
        args, foundation, node = self._args, self._args.foundation, self._args.node
        settings = foundation.settings
        status = status_parameter(
            self._name,
            node=node.name,
            paths=foundation.paths,
            tags=foundation.tags,
            parent=self,
        )
        zone = record_parameter(
            self._name,
            node.name,
            node.zone,
            paths=foundation.paths,
            tags=foundation.tags,
            parent=self,
        )
        region = foundation.environment.account.region
        user_data = foundation.bucket.bucket_name.apply(
            lambda bucket: encode(api_server(settings, node, region=region, bucket=bucket))
        )
        return aws.ec2.Instance(
            self._name,
            ami=foundation.environment.image_id,
            instance_type=settings.instance_type(settings.api.instance_type),
            subnet_id=foundation.subnets.private[node.zone],
            vpc_security_group_ids=[args.group_id],
            iam_instance_profile=credentials.instance_profile_name,
            placement_group=args.placement_group,
            root_block_device=root_disk(self._name, foundation.key_arn, foundation.tags),
            metadata_options=metadata_options(),
            user_data_base64=user_data,
            user_data_replace_on_change=True,
            tags=named(foundation.tags, self._name),
            opts=pulumi.ResourceOptions(
                parent=self,
                depends_on=[*args.after, credentials, status, zone],
                hooks=foundation.gates.server,
                replace_on_changes=REPLACE_ON_CHANGES,
            ),
        )
