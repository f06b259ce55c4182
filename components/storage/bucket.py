"""ClusterBucket: the S3 bucket of etcd snapshots and of the node agent.

Nodes thin out the snapshots themselves (`node/etcd/snapshot_retention.py`). No rule expires them
by age: it would go on when no new ones come, and take the last good one (docs/adr/0014).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.tags import named
from node.contract import SNAPSHOT_PREFIX

NONCURRENT_DAYS = 7
"""Days in which an overwritten or deleted snapshot can still be brought back. Nobody's role may
shorten them: a node can delete objects, and versions of none."""


@dataclass(frozen=True, kw_only=True)
class ClusterBucketArgs:
    """What a ClusterBucket is built from."""

    key_arn: pulumi.Input[str]
    """KMS key that encrypts what is in it."""
    protect: bool
    """Refuse to delete the bucket; an unprotected one is deleted with what is in it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class ClusterBucket(pulumi.ComponentResource):
    """A versioned, encrypted bucket that is never public."""

    bucket_name: pulumi.Output[str]
    """Name of the bucket."""
    arn: pulumi.Output[str]
    """ARN of the bucket."""
    before_objects: tuple[pulumi.Resource, ...]
    """What an object waits for: encryption and versions. Not the lifecycle rules: it takes up to a
    minute until S3 shows them everywhere, and for so long no machine would boot."""

    def __init__(
        self, name: str, args: ClusterBucketArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:ClusterBucket", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        bucket = aws.s3.Bucket(
            name,
            force_destroy=not args.protect,
            tags=named(args.tags, name),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        blocked = aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        versioning = aws.s3.BucketVersioning(
            name,
            bucket=bucket.id,
            versioning_configuration=aws.s3.BucketVersioningVersioningConfigurationArgs(
                status="Enabled"
            ),
            opts=child,
        )
        encryption = aws.s3.BucketServerSideEncryptionConfiguration(
            name,
            bucket=bucket.id,
            rules=[
                aws.s3.BucketServerSideEncryptionConfigurationRuleArgs(
                    apply_server_side_encryption_by_default=aws.s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
                        sse_algorithm="aws:kms", kms_master_key_id=args.key_arn
                    ),
                    bucket_key_enabled=True,
                )
            ],
            opts=child,
        )
        # Nothing else: the program must be there for as long as user data names it.
        snapshots = aws.s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=SNAPSHOT_PREFIX)
        aws.s3.BucketLifecycleConfiguration(
            name,
            bucket=bucket.id,
            rules=[
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    id="deleted-snapshots",
                    status="Enabled",
                    filter=snapshots,
                    noncurrent_version_expiration=aws.s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                        noncurrent_days=NONCURRENT_DAYS
                    ),
                    abort_incomplete_multipart_upload=aws.s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
                        days_after_initiation=1
                    ),
                ),
                aws.s3.BucketLifecycleConfigurationRuleArgs(
                    # What a deletion leaves, once nothing is behind it. A rule of its own: the
                    # provider would keep the `days` that the first one of older stacks had, and S3
                    # takes one of the two.
                    id="markers-of-deleted-snapshots",
                    status="Enabled",
                    filter=snapshots,
                    expiration=aws.s3.BucketLifecycleConfigurationRuleExpirationArgs(
                        expired_object_delete_marker=True
                    ),
                ),
            ],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[versioning]),
        )
        aws.s3.BucketPolicy(
            name,
            bucket=bucket.id,
            policy=bucket.arn.apply(_tls_only),
            # S3 refuses a policy and a public access block that are written at the same time.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[blocked]),
        )
        self.before_objects = (versioning, encryption)
        self.bucket_name = bucket.id
        self.arn = bucket.arn
        self.register_outputs({"bucketName": self.bucket_name, "arn": self.arn})


def _tls_only(bucket_arn: str) -> str:
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "DenyPlainHttp",
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": [bucket_arn, f"{bucket_arn}/*"],
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        }
    )
