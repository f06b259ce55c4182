"""EncryptionKey: the KMS key of a cluster's secrets, disks, snapshots and alarms."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.nodes.role_policy import Account
from components.tags import named

DELETION_WINDOW_DAYS = 30
"""KMS's longest: a deleted key takes every snapshot with it."""


@dataclass(frozen=True, kw_only=True)
class EncryptionKeyArgs:
    """What an EncryptionKey is built from."""

    account: Account
    """The account whose IAM policies, and whose alarms, may use the key."""
    protect: bool
    """Refuse to delete the key."""
    auto_scaling: bool = False
    """Whether Auto Scaling starts machines with encrypted disks."""
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
        key = aws.kms.Key(
            name,
            description=f"Secrets, disks and snapshots of {name}",
            deletion_window_in_days=DELETION_WINDOW_DAYS,
            enable_key_rotation=True,
            policy=key_policy(args.account, auto_scaling=args.auto_scaling),
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


def key_policy(account: Account, *, auto_scaling: bool = False) -> str:
    """Who may use the key: whom the account's IAM policies let, CloudWatch's alarms, and Auto
    Scaling where it starts machines.

    The first statement is KMS's own default: each node's role alone says what the node may decrypt.
    Without the second one an alarm that notifies an encrypted topic fails silently (SNS developer
    guide, "Enable compatibility between event sources from AWS services and encrypted topics").
    """
    statements: list[dict[str, Any]] = [
        {
            "Sid": "AccountPolicies",
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:{account.partition}:iam::{account.account_id}:root"},
            "Action": "kms:*",
            "Resource": "*",
        },
        {
            "Sid": "Alarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": ["kms:Decrypt", "kms:GenerateDataKey*"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:SourceAccount": account.account_id}},
        },
    ]
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [*statements, *(_auto_scaling(account) if auto_scaling else [])],
        }
    )


def _auto_scaling(account: Account) -> list[dict[str, Any]]:
    """What Auto Scaling's role needs for the disks of its machines (Auto Scaling user guide,
    "Required AWS KMS key policy for use with encrypted volumes"). Without it every machine ends
    while it starts, with Client.InternalError.

    The role is a condition instead of the principal: AWS makes it with the account's first group,
    and KMS refuses a policy that names a principal which does not exist.
    """
    role = account.service_role("autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling")
    condition = {
        "StringEquals": {"kms:CallerAccount": account.account_id},
        "ArnEquals": {"aws:PrincipalArn": role},
    }
    common = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Resource": "*"}
    return [
        {
            "Sid": "AutoScaling",
            **common,
            "Action": [
                "kms:Encrypt",
                "kms:Decrypt",
                "kms:ReEncrypt*",
                "kms:GenerateDataKey*",
                "kms:DescribeKey",
            ],
            "Condition": condition,
        },
        {
            "Sid": "AutoScalingDisks",
            **common,
            "Action": ["kms:CreateGrant"],
            "Condition": {**condition, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]
