"""IAM policies of whoever runs Pulumi, as documents. Pure.

`python -m components.operator_policy` writes them to docs/iam, for a cluster named CLUSTER. The
actions are those that the provider and the gates were seen to ask for; lab/tests/engine/program
runs everything that a stack can have on the engine and compares. What real AWS asks for besides,
because one action needs another one, is in `IMPLIED`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Document = dict[str, Any]

DIRECTORY = Path(__file__).resolve().parents[1] / "docs" / "iam"
CLUSTER = "CLUSTER"
"""Stands for the cluster's name in the files; no name has capital letters."""

MANAGED_POLICY_LIMIT = 6144
"""Characters of a managed policy, without white space (IAM user guide, "IAM and STS quotas")."""

SERVICE_LINKED = ("elasticloadbalancing.amazonaws.com", "ec2-instance-connect.amazonaws.com")
"""Services that make a role of their own with an account's first load balancer, or first Instance
Connect endpoint."""

PASSED_TO = ("ec2.amazonaws.com", "vpc-flow-logs.amazonaws.com")
"""Services that the program gives its roles to."""

IMPLIED: Mapping[str, str] = {
    "ec2:CreateNetworkInterface": "CreateInstanceConnectEndpoint (EC2 user guide)",
    "ec2:ModifySecurityGroupRules": "a description of a rule that a new version changes",
    "ec2:ModifyVpcEndpoint": "subnets, groups or policy of an endpoint that stays",
    "ec2:StartInstances": "a machine that is stopped (docs/runbooks/alarms.md)",
    "elasticloadbalancing:ModifyTargetGroup": "a health check that a new version changes",
    "iam:CreateServiceLinkedRole": "the account's first balancer or Instance Connect endpoint",
    "iam:PassRole": "RunInstances and AddRoleToInstanceProfile",
    "kms:CreateGrant": "EC2 attaches an encrypted volume",
    "kms:Decrypt": "encrypted parameters, volumes and objects",
    "kms:Encrypt": "encrypted parameters",
    "kms:GenerateDataKey": "encrypted objects and large parameters",
    "kms:GenerateDataKeyWithoutPlaintext": "encrypted volumes",
    "kms:ListKeys": "python -m recovery",
    "kms:PutKeyPolicy": "CreateKey with a policy, and a policy that changes",
    "kms:ReEncryptFrom": "encrypted root volumes",
    "kms:ReEncryptTo": "encrypted root volumes",
    "logs:UntagResource": "a tag that is taken away",
    "route53:AssociateVPCWithHostedZone": "interface endpoints with private DNS",
    "s3:ListTagsForResource": "a bucket's tags, from version 6.23 of the AWS provider on",
    "s3:TagResource": "the same",
    "s3:UntagResource": "the same",
    "sns:ListTopics": "python -m recovery",
}
"""Actions that no request names, or that only a rare change does, each with what needs it."""


def operator_policies(cluster: str) -> dict[str, Document]:
    """The policies of the operator, who runs `up`, `refresh` and `destroy`, by name.

    They are two because IAM limits the length of one. Both are needed.
    """
    return {
        "operator-network": _document(
            _network(), _machines(cluster), _balancer(cluster), _flow_logs(cluster)
        ),
        "operator-data": _document(
            _identity(cluster),
            _key(cluster),
            _parameters(cluster),
            _bucket(cluster),
            _alarms(cluster),
        ),
    }


def preview_policy(cluster: str) -> Document:
    """The policy of a CI job that runs `preview`, without `--refresh`: it reads no secret."""
    return _document(
        [
            # The provider reads an image's boot variables when it looks the image up.
            _allow(
                "LookUp",
                ["ec2:Describe*", "ec2:GetInstanceUefiData", "sts:GetCallerIdentity"],
                ["*"],
            ),
            _allow(
                "Record",
                ["ssm:GetParametersByPath"],
                [f"arn:aws:ssm:*:*:parameter/{cluster}/record"],
            ),
        ]
    )


def _network() -> list[Document]:
    return [
        # Descriptions cannot be restricted to resources, and newer providers ask for more of them.
        _allow("Describe", ["ec2:Describe*", "elasticloadbalancing:Describe*"], ["*"]),
        _allow(
            "Network",
            [
                f"ec2:{action}"
                for action in (
                    "AllocateAddress",
                    "AssociateRouteTable",
                    "AttachInternetGateway",
                    "AuthorizeSecurityGroupEgress",
                    "AuthorizeSecurityGroupIngress",
                    "CreateInstanceConnectEndpoint",
                    "CreateFlowLogs",
                    "CreateInternetGateway",
                    "CreateNatGateway",
                    "CreateNetworkInterface",
                    "CreatePlacementGroup",
                    "CreateRoute",
                    "CreateRouteTable",
                    "CreateSecurityGroup",
                    "CreateSubnet",
                    "CreateSubnetCidrReservation",
                    "CreateTags",
                    "CreateVolume",
                    "CreateVpc",
                    "CreateVpcEndpoint",
                    "DeleteFlowLogs",
                    "DeleteInstanceConnectEndpoint",
                    "DeleteInternetGateway",
                    "DeleteNatGateway",
                    "DeletePlacementGroup",
                    "DeleteRoute",
                    "DeleteRouteTable",
                    "DeleteSecurityGroup",
                    "DeleteSubnet",
                    "DeleteSubnetCidrReservation",
                    "DeleteTags",
                    "DeleteVpc",
                    "DeleteVpcEndpoints",
                    "DetachInternetGateway",
                    "DisassociateAddress",
                    "DisassociateRouteTable",
                    "GetInstanceUefiData",
                    "GetSubnetCidrReservations",
                    "ModifySecurityGroupRules",
                    "ModifyVpcAttribute",
                    "ModifyVpcEndpoint",
                    "ReleaseAddress",
                    "RevokeSecurityGroupEgress",
                    "RevokeSecurityGroupIngress",
                    "RunInstances",
                )
            ],
            ["*"],
        ),
        _allow("PrivateDns", ["route53:AssociateVPCWithHostedZone"], ["*"]),
    ]


def _machines(cluster: str) -> list[Document]:
    """What ends an instance or touches a disk: only of this cluster, by the tag that all carry."""
    return [
        {
            **_allow(
                "Machines",
                [
                    "ec2:AttachVolume",
                    "ec2:DeleteVolume",
                    "ec2:DetachVolume",
                    "ec2:ModifyInstanceAttribute",
                    "ec2:ModifyVolume",
                    "ec2:StartInstances",
                    "ec2:StopInstances",
                    "ec2:TerminateInstances",
                ],
                [f"arn:aws:ec2:*:*:{kind}/*" for kind in ("instance", "security-group", "volume")],
            ),
            "Condition": _tagged(cluster),
        }
    ]


def _balancer(cluster: str) -> list[Document]:
    arn = "arn:aws:elasticloadbalancing:*:*"
    return [
        _allow(
            "Balancer",
            [
                f"elasticloadbalancing:{action}"
                for action in (
                    "AddTags",
                    "CreateListener",
                    "CreateLoadBalancer",
                    "CreateTargetGroup",
                    "DeleteListener",
                    "DeleteLoadBalancer",
                    "DeleteTargetGroup",
                    "DeregisterTargets",
                    "ModifyLoadBalancerAttributes",
                    "ModifyTargetGroup",
                    "ModifyTargetGroupAttributes",
                    "RegisterTargets",
                    "RemoveTags",
                )
            ],
            [
                f"{arn}:listener/*/{cluster}-api-*/*/*",
                f"{arn}:loadbalancer/net/{cluster}-api-*/*",
                f"{arn}:targetgroup/{cluster}-api-*/*",
            ],
        )
    ]


def _identity(cluster: str) -> list[Document]:
    roles = [f"arn:aws:iam::*:role/{cluster}-{user}-*" for user in ("api", "etcd", "flow-logs")]
    profiles = [f"arn:aws:iam::*:instance-profile/{cluster}-{tier}-*" for tier in ("api", "etcd")]
    return [
        _allow(
            "Roles",
            [
                f"iam:{action}"
                for action in (
                    "CreateRole",
                    "DeleteRole",
                    "DeleteRolePolicy",
                    "GetRole",
                    "GetRolePolicy",
                    "ListAttachedRolePolicies",
                    "ListInstanceProfilesForRole",
                    "ListRolePolicies",
                    "PutRolePolicy",
                    "TagRole",
                    "UntagRole",
                )
            ],
            roles,
        ),
        _allow(
            "InstanceProfiles",
            [
                f"iam:{action}"
                for action in (
                    "AddRoleToInstanceProfile",
                    "CreateInstanceProfile",
                    "DeleteInstanceProfile",
                    "GetInstanceProfile",
                    "RemoveRoleFromInstanceProfile",
                    "TagInstanceProfile",
                    "UntagInstanceProfile",
                )
            ],
            profiles,
        ),
        {
            **_allow("PassRoles", ["iam:PassRole"], roles),
            "Condition": {"StringEquals": {"iam:PassedToService": list(PASSED_TO)}},
        },
        {
            **_allow(
                "ServiceLinkedRoles",
                ["iam:CreateServiceLinkedRole"],
                ["arn:aws:iam::*:role/aws-service-role/*"],
            ),
            "Condition": {"StringEquals": {"iam:AWSServiceName": list(SERVICE_LINKED)}},
        },
        _allow("WhoAmI", ["sts:GetCallerIdentity"], ["*"]),
    ]


def _key(cluster: str) -> list[Document]:
    keys = ["arn:aws:kms:*:*:key/*"]
    return [
        _allow("MakeKeys", ["kms:CreateKey", "kms:ListAliases", "kms:ListKeys"], ["*"]),
        # A tag counts only minutes after it was given (KMS developer guide, "ABAC for KMS"), so it
        # cannot restrict what a first update does with the key that it has just made.
        _allow(
            "Keys",
            [
                f"kms:{action}"
                for action in (
                    "CreateAlias",
                    "DeleteAlias",
                    "DescribeKey",
                    "EnableKeyRotation",
                    "GetKeyPolicy",
                    "GetKeyRotationStatus",
                    "ListResourceTags",
                    "PutKeyPolicy",
                    "TagResource",
                    "UntagResource",
                )
            ],
            [*keys, f"arn:aws:kms:*:*:alias/{cluster}"],
        ),
        {
            **_allow("DeleteKey", ["kms:ScheduleKeyDeletion"], keys),
            "Condition": _tagged(cluster),
        },
        {
            **_allow(
                "EncryptThroughServices",
                [
                    f"kms:{action}"
                    for action in (
                        "Decrypt",
                        "Encrypt",
                        "GenerateDataKey",
                        "GenerateDataKeyWithoutPlaintext",
                        "ReEncryptFrom",
                        "ReEncryptTo",
                    )
                ],
                keys,
            ),
            "Condition": {
                "StringLike": {
                    "kms:ViaService": [f"{name}.*.amazonaws.com" for name in ("ec2", "s3", "ssm")]
                }
            },
        },
        {
            **_allow("GrantToEc2", ["kms:CreateGrant"], keys),
            "Condition": {"Bool": {"kms:GrantIsForAWSResource": "true"}},
        },
    ]


def _parameters(cluster: str) -> list[Document]:
    return [
        _allow("FindParameters", ["ssm:DescribeParameters"], ["*"]),
        _allow(
            "Parameters",
            [
                f"ssm:{action}"
                for action in (
                    "AddTagsToResource",
                    "DeleteParameter",
                    "GetParameter",
                    "GetParameters",
                    "GetParametersByPath",
                    "ListTagsForResource",
                    "PutParameter",
                    "RemoveTagsFromResource",
                )
            ],
            [f"arn:aws:ssm:*:*:parameter/{cluster}/*"],
        ),
    ]


def _bucket(cluster: str) -> list[Document]:
    bucket = f"arn:aws:s3:::{cluster}-bucket-*"
    return [
        _allow(
            "Bucket",
            [
                f"s3:{action}"
                for action in (
                    "CreateBucket",
                    "DeleteBucket",
                    "DeleteBucketPolicy",
                    "GetAccelerateConfiguration",
                    "GetBucketAcl",
                    "GetBucketCORS",
                    "GetBucketLogging",
                    "GetBucketObjectLockConfiguration",
                    "GetBucketPolicy",
                    "GetBucketPublicAccessBlock",
                    "GetBucketRequestPayment",
                    "GetBucketTagging",
                    "GetBucketVersioning",
                    "GetBucketWebsite",
                    "GetEncryptionConfiguration",
                    "GetLifecycleConfiguration",
                    "GetReplicationConfiguration",
                    "ListBucket",
                    "ListBucketVersions",
                    "ListTagsForResource",
                    "PutBucketPolicy",
                    "PutBucketPublicAccessBlock",
                    "PutBucketTagging",
                    "PutBucketVersioning",
                    "PutEncryptionConfiguration",
                    "PutLifecycleConfiguration",
                    "TagResource",
                    "UntagResource",
                )
            ],
            [bucket],
        ),
        _allow(
            "Objects",
            [
                f"s3:{action}"
                for action in (
                    "DeleteObject",
                    "DeleteObjectVersion",
                    "GetObject",
                    "GetObjectTagging",
                    "PutObject",
                )
            ],
            [f"{bucket}/*"],
        ),
    ]


def _alarms(cluster: str) -> list[Document]:
    return [
        _allow(
            "Alarms",
            [
                f"cloudwatch:{action}"
                for action in (
                    "DeleteAlarms",
                    "DescribeAlarms",
                    "ListTagsForResource",
                    "PutMetricAlarm",
                    "TagResource",
                    "UntagResource",
                )
            ],
            [f"arn:aws:cloudwatch:*:*:alarm:{cluster}-*"],
        ),
        _allow(
            "Topic",
            [
                f"sns:{action}"
                for action in (
                    "CreateTopic",
                    "DeleteTopic",
                    "GetTopicAttributes",
                    "ListTagsForResource",
                    "SetTopicAttributes",
                    "TagResource",
                    "UntagResource",
                )
            ],
            [f"arn:aws:sns:*:*:{cluster}-alarms-*"],
        ),
        _allow("FindTopics", ["sns:ListTopics"], ["*"]),
    ]


def _flow_logs(cluster: str) -> list[Document]:
    return [
        _allow("FindLogGroups", ["logs:DescribeLogGroups"], ["*"]),
        _allow(
            "FlowLogs",
            [
                f"logs:{action}"
                for action in (
                    "CreateLogGroup",
                    "DeleteLogGroup",
                    "ListTagsForResource",
                    "PutRetentionPolicy",
                    "TagResource",
                    "UntagResource",
                )
            ],
            [f"arn:aws:logs:*:*:log-group:{cluster}-flow-logs-*"],
        ),
    ]


def _tagged(cluster: str) -> Document:
    return {"StringEquals": {f"aws:ResourceTag/kubernetes.io/cluster/{cluster}": "owned"}}


def _allow(sid: str, actions: Sequence[str], resources: Sequence[str]) -> Document:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}


def _document(*statements: list[Document]) -> Document:
    return {"Version": "2012-10-17", "Statement": [one for group in statements for one in group]}


def files() -> dict[str, str]:
    """The files of docs/iam by name."""
    documents = {**operator_policies(CLUSTER), "preview": preview_policy(CLUSTER)}
    return {
        f"{name}.json": json.dumps(document, indent=2) + "\n"
        for name, document in documents.items()
    }


def main() -> None:
    """Write the files."""
    for name, text in files().items():
        (DIRECTORY / name).write_text(text)


if __name__ == "__main__":
    main()
