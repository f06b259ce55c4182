"""Access of Auto Scaling to a customer's key.

Volumes of a group are encrypted on behalf of Auto Scaling's service-linked role, whose own policy
says nothing of KMS: without a statement in the key's policy, or a grant, every launch fails
(Auto Scaling guide, "Required AWS KMS key policy for use with encrypted volumes").
"""

from collections.abc import Iterable, Mapping
from typing import Any

from lab.machines.frontend.policy import Document, Permission, allowed

ROLE = "AWSServiceRoleForAutoScaling"
ROLE_PATH = "/aws-service-role/autoscaling.amazonaws.com/"

ACTIONS = (
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
)
"""What EC2 does with the key of a volume, by the guide's policy."""


def role_arn(account: str) -> str:
    """ARN of the service-linked role."""
    return f"arn:aws:iam::{account}:role{ROLE_PATH}{ROLE}"


def may_use(policy: Document, grants: Iterable[Any], account: str, region: str) -> bool:
    """Whether the service-linked role may encrypt volumes with a key. Pure.

    A statement for the account itself does not count: it only lets the account's IAM policies
    speak, and the role's do not speak of keys.
    """
    role = role_arn(account)
    granted = {
        operation
        for grant in grants
        if grant.grantee_principal == role
        for operation in grant.operations
    }
    statements = policy["Statement"]
    mine = {
        "Statement": [
            {"Resource": "*", **statement}
            for statement in (statements if isinstance(statements, list) else [statements])
            if _names(statement.get("Principal"), role)
        ]
    }
    context = {
        "aws:PrincipalArn": role,
        "kms:CallerAccount": account,
        "kms:GrantIsForAWSResource": "true",
        "kms:ViaService": f"ec2.{region}.amazonaws.com",
    }
    return all(
        action in granted or allowed([mine], Permission(f"kms:{action}", "*", context))
        for action in ACTIONS
    )


def _names(principal: object, role: str) -> bool:
    if isinstance(principal, Mapping):
        principal = principal.get("AWS")
    named = principal if isinstance(principal, list) else [principal]
    return role in named or "*" in named
