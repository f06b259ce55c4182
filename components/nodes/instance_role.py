"""InstanceRole: the IAM role of a node or of a pool of workers, and its instance profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.nodes.role_policy import trust_policy
from components.tags import named


@dataclass(frozen=True, kw_only=True)
class InstanceRoleArgs:
    """What an InstanceRole is built from."""

    policy: pulumi.Input[str]
    """What the role may do, as a policy document."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class InstanceRole(pulumi.ComponentResource):
    """A role for one node alone, so that no node can read what belongs to another; workers of a
    pool, of which nobody has anything of its own to read, share one."""

    instance_profile_name: pulumi.Output[str]
    """Name of the instance profile."""

    def __init__(
        self, name: str, args: InstanceRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:InstanceRole", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = named(args.tags, name)
        role = aws.iam.Role(name, assume_role_policy=trust_policy(), tags=tags, opts=child)
        policy = aws.iam.RolePolicy(name, role=role.name, policy=args.policy, opts=child)
        profile = aws.iam.InstanceProfile(
            name,
            role=role.name,
            tags=tags,
            # An instance that boots before its policy exists would be refused its own files.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.instance_profile_name = profile.name
        self.register_outputs({"instanceProfileName": self.instance_profile_name})
