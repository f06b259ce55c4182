"""Policy of whoever runs Pulumi: roles, keys, parameters, the bucket and alarms. Pure."""

from components.iam.policy_document import Document, Statement, allow, document, tagged

SERVICE_LINKED = (
    "autoscaling.amazonaws.com",
    "ec2-instance-connect.amazonaws.com",
    "elasticloadbalancing.amazonaws.com",
    "spot.amazonaws.com",
)
"""Services that make a role of their own with an account's first load balancer, Instance Connect
endpoint, Auto Scaling group or Spot Instance."""

PASSED_TO = ("ec2.amazonaws.com", "vpc-flow-logs.amazonaws.com")
"""Services that the program gives its roles to."""


def operator_data_policy(cluster: str) -> Document:
    """What the operator of a cluster may do to them."""
    return document(
        [
            *_identity(cluster),
            *_key(cluster),
            *_parameters(cluster),
            *_bucket(cluster),
            *_alarms(cluster),
        ]
    )


def _identity(cluster: str) -> list[Statement]:
    tiers = ("api", "etcd", "workers")
    roles = [f"arn:aws:iam::*:role/{cluster}-{user}-*" for user in (*tiers, "flow-logs")]
    profiles = [f"arn:aws:iam::*:instance-profile/{cluster}-{tier}-*" for tier in tiers]
    return [
        allow(
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
        allow(
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
        allow(
            "PassRoles",
            ["iam:PassRole"],
            roles,
            condition={"StringEquals": {"iam:PassedToService": list(PASSED_TO)}},
        ),
        allow(
            "ServiceLinkedRoles",
            ["iam:CreateServiceLinkedRole"],
            ["arn:aws:iam::*:role/aws-service-role/*"],
            condition={"StringEquals": {"iam:AWSServiceName": list(SERVICE_LINKED)}},
        ),
        allow("WhoAmI", ["sts:GetCallerIdentity"], ["*"]),
    ]


def _key(cluster: str) -> list[Statement]:
    keys = ["arn:aws:kms:*:*:key/*"]
    return [
        allow("MakeKeys", ["kms:CreateKey", "kms:ListAliases", "kms:ListKeys"], ["*"]),
        # A tag counts only minutes after it was given (KMS developer guide, "ABAC for KMS"), so it
        # cannot restrict what a first update does with the key that it has just made.
        allow(
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
        allow(
            "DeleteKey",
            ["kms:ScheduleKeyDeletion"],
            keys,
            condition=tagged(cluster),
        ),
        allow(
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
            condition={
                "StringLike": {
                    "kms:ViaService": [f"{name}.*.amazonaws.com" for name in ("ec2", "s3", "ssm")]
                }
            },
        ),
        allow(
            "GrantToEc2",
            ["kms:CreateGrant"],
            keys,
            condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]


def _parameters(cluster: str) -> list[Statement]:
    return [
        allow("FindParameters", ["ssm:DescribeParameters"], ["*"]),
        allow(
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


def _bucket(cluster: str) -> list[Statement]:
    bucket = f"arn:aws:s3:::{cluster}-bucket-*"
    return [
        allow(
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
        allow(
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


def _alarms(cluster: str) -> list[Statement]:
    return [
        allow(
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
        allow(
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
        allow("FindTopics", ["sns:ListTopics"], ["*"]),
    ]
