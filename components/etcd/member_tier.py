"""EtcdTier: the members of the configured size, one after the other."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.etcd.member import EtcdNode, EtcdNodeArgs
from components.etcd.membership_parameters import Membership, MembershipArgs
from components.gates import Gates
from components.naming import EtcdMember, ParameterPaths
from components.nodes.role_policy import etcd_node_policy
from components.nodes.tier_args import TierArgs
from components.pki.authorities import CertificateAuthority
from components.tags import named
from components.userdata import encode, etcd_member
from config.quorum import Quorum


@dataclass(frozen=True, kw_only=True)
class EtcdTierArgs(TierArgs):
    """What an EtcdTier is built from, besides what every tier is."""

    members: tuple[EtcdMember, ...]
    """The members, in the order in which they are created and replaced."""
    ca: CertificateAuthority
    """The CA of the etcd tier."""
    gates: Gates
    """What holds back an instance or a volume while the tier cannot spare it."""


class EtcdTier(pulumi.ComponentResource):
    """The etcd members, and their desired membership."""

    instance_ids: Mapping[str, pulumi.Output[str]]
    """Instance id by member name."""
    quorum: list[pulumi.Resource]
    """Instance and disk of the member with whom there is a quorum; those before it come first. What
    needs etcd waits for it, and goes before it: without a quorum an API server took 97 s to stop,
    with one 17 s (in the lab)."""

    def __init__(
        self, name: str, args: EtcdTierArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:EtcdTier", name, {}, opts)
        child, tier_name = pulumi.ResourceOptions(parent=self), f"{name}-etcd"
        settings, paths = args.settings, ParameterPaths(args.settings.cluster_name)
        kms_key_arn = pulumi.Output.from_input(args.kms_key_arn)
        membership = Membership(
            tier_name,
            MembershipArgs(
                members=args.members,
                paths=paths,
                # Every incarnation of a cluster has a key of its own, whose id AWS never reuses.
                incarnation=kms_key_arn.apply(lambda arn: arn.rsplit("/", 1)[-1]),
                tags=args.tags,
            ),
            child,
        )
        placement = aws.ec2.PlacementGroup(
            tier_name, strategy="spread", tags=named(args.tags, tier_name), opts=child
        )
        self.instance_ids = {}
        earlier: list[pulumi.Resource] = []
        enough = Quorum(len(args.members), 1).quorum
        for number, member in enumerate(args.members, 1):
            node = EtcdNode(
                f"{name}-{member.name}",
                EtcdNodeArgs(
                    member=member,
                    paths=paths,
                    subnet_id=args.subnet_ids[member.zone],
                    security_group_id=args.security_group_id,
                    placement_group=placement.name,
                    image_id=args.image_id,
                    instance_type=settings.instance_type(settings.etcd.instance_type),
                    data_volume=settings.etcd.data_volume,
                    kms_key_arn=kms_key_arn,
                    ca=args.ca,
                    lifetime=settings.pki,
                    policy=_policy(args, member),
                    user_data=_user_data(args, member),
                    gates=args.gates,
                    depends_on=[*args.depends_on, membership, *earlier],
                    tags=args.tags,
                ),
                child,
            )
            # The next member waits for this one's disk as well: an instance counts as created
            # long before its volume is attached, and replacing two members at once costs quorum.
            earlier = [node.instance, node.attachment]
            if number == enough:
                self.quorum = earlier
            self.instance_ids[member.name] = node.instance.id
        self.register_outputs({"instanceIds": dict(self.instance_ids)})


def _policy(args: EtcdTierArgs, member: EtcdMember) -> pulumi.Output[str]:
    """Policy of a member's role."""
    paths = ParameterPaths(args.settings.cluster_name)
    return pulumi.Output.all(args.kms_key_arn, args.bucket_arn).apply(
        lambda arns: etcd_node_policy(
            member.name, paths, args.account, key_arn=arns[0], bucket_arn=arns[1]
        )
    )


def _user_data(
    args: EtcdTierArgs, member: EtcdMember
) -> Callable[[pulumi.Output[str]], pulumi.Output[str]]:
    """Encoded user data of a member, from the id of its data volume."""

    def render(volume_id: pulumi.Output[str]) -> pulumi.Output[str]:
        return pulumi.Output.all(volume_id, args.bucket_name).apply(
            lambda known: encode(
                etcd_member(
                    args.settings,
                    member,
                    region=args.account.region,
                    volume_id=known[0],
                    bucket=known[1],
                )
            )
        )

    return render
