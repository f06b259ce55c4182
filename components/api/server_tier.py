"""ApiServerTier: stateless API servers behind the load balancer, unaware of each other."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.api.server import ApiNode, ApiNodeArgs
from components.gates import Gates
from components.naming import ApiServer, ParameterPaths
from components.nodes.role_policy import api_node_policy
from components.nodes.tier_args import TierArgs
from components.pki.authorities import ClusterPki
from components.pki.certificates import api_server_certificates
from components.pki.encryption_at_rest import encryption_configuration
from components.tags import named
from components.userdata import api_server, encode


@dataclass(frozen=True, kw_only=True)
class ApiServerTierArgs(TierArgs):
    """What an ApiServerTier is built from, besides what every tier is."""

    servers: tuple[ApiServer, ...]
    """The API servers, in the order in which they are created and replaced."""
    pki: ClusterPki
    """The CAs, and the keys that every API server shares."""
    dns_name: pulumi.Input[str]
    """DNS name of the load balancer, which is in the serving certificates."""
    target_group_arn: pulumi.Input[str]
    """Target group of the load balancer."""
    gates: Gates
    """What holds back an instance or a target while the tier cannot spare it."""


class ApiServerTier(pulumi.ComponentResource):
    """API servers, each replaced by a successor that is registered before it goes."""

    instance_ids: Mapping[str, pulumi.Output[str]]
    """Instance id by node name."""
    addresses: Mapping[str, pulumi.Output[str]]
    """Private address by node name."""

    def __init__(
        self, name: str, args: ApiServerTierArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:ApiServerTier", name, {}, opts)
        child, tier_name = pulumi.ResourceOptions(parent=self), f"{name}-api"
        settings, paths = args.settings, ParameterPaths(args.settings.cluster_name)
        placement = aws.ec2.PlacementGroup(
            tier_name, strategy="spread", tags=named(args.tags, tier_name), opts=child
        )
        self.instance_ids, self.addresses = {}, {}
        earlier: list[pulumi.Resource] = []
        for server in args.servers:
            node = ApiNode(
                f"{name}-{server.name}",
                ApiNodeArgs(
                    node=server,
                    paths=paths,
                    subnet_id=args.subnet_ids[server.zone],
                    security_group_id=args.security_group_id,
                    placement_group=placement.name,
                    image_id=args.image_id,
                    instance_type=settings.instance_type(settings.api.instance_type),
                    target_group_arn=args.target_group_arn,
                    kms_key_arn=args.kms_key_arn,
                    certificates=api_server_certificates(
                        server,
                        service_cidr=settings.network.service_cidr,
                        dns_name=args.dns_name,
                        workers=bool(settings.workers),
                    ),
                    authorities=args.pki.authorities,
                    lifetime=settings.pki,
                    files=_shared_files(args.pki),
                    policy=_policy(args, server),
                    user_data=_user_data(args, server),
                    gates=args.gates,
                    depends_on=[*args.depends_on, *earlier],
                    tags=args.tags,
                ),
                child,
            )
            # One successor at a time, each registered before the next: never all of them new.
            earlier = [node.instance, node.target]
            self.instance_ids[server.name] = node.instance.id
            self.addresses[server.name] = node.instance.private_ip
        self.register_outputs(
            {"instanceIds": dict(self.instance_ids), "addresses": dict(self.addresses)}
        )


def _shared_files(pki: ClusterPki) -> dict[str, pulumi.Input[str]]:
    """Files that every API server has, by name."""
    kubernetes = pki.authorities["kubernetes"]
    return {
        "ca.crt": kubernetes.cert_pem,
        "ca.key": kubernetes.key_pem,
        "etcd-ca.crt": pki.authorities["etcd"].cert_pem,
        "front-proxy-ca.crt": pki.authorities["front-proxy"].cert_pem,
        "sa.key": pki.service_account_key_pem,
        "sa.pub": pki.service_account_public_key_pem,
        "encryption.yaml": pki.encryption_seed_pem.apply(encryption_configuration),
    }


def _policy(args: ApiServerTierArgs, server: ApiServer) -> pulumi.Output[str]:
    """Policy of an API server's role."""
    paths = ParameterPaths(args.settings.cluster_name)
    return pulumi.Output.all(args.kms_key_arn, args.bucket_arn).apply(
        lambda arns: api_node_policy(
            server.name,
            paths,
            args.account,
            key_arn=arns[0],
            bucket_arn=arns[1],
            workers=bool(args.settings.workers),
        )
    )


def _user_data(args: ApiServerTierArgs, server: ApiServer) -> pulumi.Output[str]:
    """Encoded user data of an API server."""
    return pulumi.Output.from_input(args.bucket_name).apply(
        lambda bucket: encode(
            api_server(args.settings, server, region=args.account.region, bucket=bucket)
        )
    )
