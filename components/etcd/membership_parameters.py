"""Membership: what tells nodes the desired members, and whether the cluster was formed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.naming import EtcdMember, ParameterPaths
from components.nodes.owned_parameter import node_owned_parameter
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
        # The founding list is history. Written back to false, the marker would have a member with
        # an empty disk found a second cluster over the first one.
        node_owned_parameter(
            f"{name}-formation",
            path=args.paths.formation,
            description="The founding etcd members, and whether they formed the cluster",
            document={
                "formed": False,
                "token": pulumi.Output.concat(args.paths.cluster, "-", args.incarnation),
                "members": members,
            },
            tags=args.tags,
            parent=self,
        )
        self.register_outputs({})
