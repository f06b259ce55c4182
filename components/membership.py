"""Membership: what nodes read to know who the etcd members are, and whether there is a cluster."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.naming import EtcdMember, ParameterPaths
from components.tags import named


@dataclass(frozen=True, kw_only=True)
class MembershipArgs:
    """What a Membership is built from."""

    members: tuple[EtcdMember, ...]
    """The members of the configured size."""
    paths: ParameterPaths
    """Where the parameters lie."""
    incarnation: pulumi.Input[str]
    """What no other cluster of this name ever had; part of etcd's cluster token."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class Membership(pulumi.ComponentResource):
    """The desired members, and the marker that says whether they ever formed a cluster."""

    def __init__(
        self, name: str, args: MembershipArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:Membership", name, {}, opts)
        members = [{"name": m.name, "address": str(m.address)} for m in args.members]
        aws.ssm.Parameter(
            f"{name}-members",
            name=args.paths.desired_members,
            type="String",
            description="Desired etcd members; nodes reconcile towards them",
            value=json.dumps(members),
            tags=named(args.tags, f"{name}-members"),
            opts=pulumi.ResourceOptions(parent=self),
        )
        formation = pulumi.Output.json_dumps(
            {
                "formed": False,
                "token": pulumi.Output.concat(args.paths.cluster, "-", args.incarnation),
                "members": members,
            }
        )
        aws.ssm.Parameter(
            f"{name}-formation",
            name=args.paths.formation,
            type="String",
            description="The founding etcd members, and whether they formed the cluster",
            value=formation,
            tags=named(args.tags, f"{name}-formation"),
            # The founding list is history, and the nodes own the marker. Written back to false, a
            # member with an empty disk would found a second cluster over the first one.
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=["value"]),
        )
        self.register_outputs({})
