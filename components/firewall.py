"""Firewall: a security group per role, with the rules of the table and no other."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.firewall_rules import Group, Rule
from components.tags import named


@dataclass(frozen=True, kw_only=True)
class FirewallArgs:
    """What a Firewall is built from."""

    vpc_id: pulumi.Input[str]
    """The VPC."""
    groups: tuple[Group, ...]
    """The security groups."""
    rules: tuple[Rule, ...]
    """Their rules."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class Firewall(pulumi.ComponentResource):
    """Security groups whose rules name each other, so that no address has to be known."""

    group_ids: Mapping[Group, pulumi.Output[str]]
    """The id of each security group."""

    def __init__(
        self, name: str, args: FirewallArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:Firewall", name, {}, opts)
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
                ip_protocol="tcp",
                from_port=rule.port,
                to_port=rule.port,
                referenced_security_group_id=self.group_ids[rule.peer] if rule.peer else None,
                cidr_ipv4=rule.cidr,
                description=rule.description,
                tags=named(args.tags, f"{name}-{rule.key}"),
                opts=child,
            )
        self.register_outputs({"group_ids": dict(self.group_ids)})
