"""EncryptionKey: the customer-managed key of a cluster's secrets, disks and snapshots."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.tags import named

DELETION_WINDOW_DAYS = 30
"""KMS's longest: a deleted key takes every snapshot with it."""


@dataclass(frozen=True, kw_only=True)
class EncryptionKeyArgs:
    """What an EncryptionKey is built from."""

    protect: bool
    """Refuse to delete the key."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class EncryptionKey(pulumi.ComponentResource):
    """A KMS key that AWS rotates every year, and its alias."""

    arn: pulumi.Output[str]
    """ARN of the key."""

    def __init__(
        self, name: str, args: EncryptionKeyArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:EncryptionKey", name, {}, opts)
        # Without a policy of its own the key follows the account's IAM policies, so that each
        # node's role alone says what the node may decrypt.
        key = aws.kms.Key(
            name,
            description=f"Secrets, disks and snapshots of {name}",
            deletion_window_in_days=DELETION_WINDOW_DAYS,
            enable_key_rotation=True,
            tags=named(args.tags, name),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        aws.kms.Alias(
            name,
            name=f"alias/{name}",
            target_key_id=key.key_id,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})
