"""EtcdTier: the members of the configured size, one after the other."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.etcd.member import EtcdNode, EtcdNodeArgs
from components.etcd.membership import Membership, MembershipArgs
from components.naming import EtcdMember
from components.nodes.foundation import Foundation
from components.tags import named


@dataclass(frozen=True, kw_only=True)
class EtcdTierArgs:
    """What an EtcdTier is built from."""

    foundation: Foundation
    """What all nodes share."""
    members: tuple[EtcdMember, ...]
    """The members, in the order in which they are created and replaced."""
    group_id: pulumi.Input[str]
    """Security group."""


class EtcdTier(pulumi.ComponentResource):
    """The etcd members, and their desired membership."""

    instance_ids: Mapping[str, pulumi.Output[str]]
    """Instance id by member name."""

    def __init__(
        self, name: str, args: EtcdTierArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:EtcdTier", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        foundation = args.foundation
        membership = Membership(
            f"{name}-etcd",
            MembershipArgs(
                members=args.members,
                paths=foundation.paths,
                # Every incarnation of a cluster has a key of its own, whose id AWS never reuses.
                incarnation=foundation.key_arn.apply(lambda arn: arn.rsplit("/", 1)[-1]),
                tags=foundation.tags,
            ),
            child,
        )
        placement = aws.ec2.PlacementGroup(
            f"{name}-etcd",
            strategy="spread",
            tags=named(foundation.tags, f"{name}-etcd"),
            opts=child,
        )
        self.instance_ids = {}
        earlier: list[pulumi.Resource] = []
        for member in args.members:
            node = EtcdNode(
                f"{name}-{member.name}",
                EtcdNodeArgs(
                    foundation=foundation,
                    member=member,
                    group_id=args.group_id,
                    placement_group=placement.name,
                    after=[*foundation.boot_after, membership, *earlier],
                ),
                child,
            )
            # The next member waits for this one's disk as well: an instance counts as created
            # long before its volume is attached, and replacing two members at once costs quorum.
            earlier = [node.instance, node.attachment]
            self.instance_ids[member.name] = node.instance.id
        self.register_outputs({"instance_ids": dict(self.instance_ids)})
