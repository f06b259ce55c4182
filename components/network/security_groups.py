"""SecurityGroups: one per role, with the rules of the table and no other."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pulumi_aws as aws

from components.network.security_group_rules import ExistingGroup, Group, NatGateway, Peer, Rule
from components.tags import named


@dataclass(frozen=True, kw_only=True)
class SecurityGroupsArgs:
    """What a SecurityGroups is built from."""

    vpc_id: pulumi.Input[str]
    """The VPC."""
    groups: tuple[Group, ...]
    """The security groups."""
    rules: tuple[Rule, ...]
    """Their rules."""
    nat_addresses: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    """Public address of the NAT gateway in each zone that rules name."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class SecurityGroups(pulumi.ComponentResource):
    """Security groups whose rules name each other where they can, so that few addresses have to be
    known."""

    group_ids: Mapping[Group, pulumi.Output[str]]
    """The id of each security group."""

    def __init__(
        self, name: str, args: SecurityGroupsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:SecurityGroups", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.group_ids = {
            group: aws.ec2.SecurityGroup(
                f"{name}-{group}",
                description=f"{group} of {name}",
                vpc_id=args.vpc_id,
                # Rules are resources of their own: two groups that name each other would
                # otherwise be a cycle.
                tags=named(args.tags, f"{name}-{group}"),
                opts=child,
            ).id
            for group in args.groups
        }
        for rule in args.rules:
            rule_type = (
                aws.vpc.SecurityGroupIngressRule
                if rule.direction == "ingress"
                else aws.vpc.SecurityGroupEgressRule
            )
            rule_type(
                f"{name}-{rule.key}",
                security_group_id=self.group_ids[rule.group],
                ip_protocol=rule.traffic.protocol,
                from_port=rule.traffic.first,
                to_port=rule.traffic.last,
                **self._peer(rule.peer, args.nat_addresses),
                description=rule.description,
                tags=named(args.tags, f"{name}-{rule.key}"),
                opts=child,
            )
        self.register_outputs({"groupIds": dict(self.group_ids)})

    def _peer(self, peer: Peer, nat_addresses: Mapping[str, pulumi.Input[str]]) -> dict[str, Any]:
        """The argument that names a peer."""
        if isinstance(peer, IPv4Network):
            return {"cidr_ipv4": str(peer)}
        if isinstance(peer, NatGateway):
            return {"cidr_ipv4": pulumi.Output.concat(nat_addresses[peer.zone], "/32")}
        if isinstance(peer, ExistingGroup):
            return {"referenced_security_group_id": peer.id}
        return {"referenced_security_group_id": self.group_ids[peer]}
