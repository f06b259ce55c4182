"""S3 buckets.

Stock moto does not evaluate policy conditions: a Deny unless `aws:SecureTransport` denies
everything (403 on every object). AWS is reached by TLS, so there that statement denies nothing; the
emulator is plain HTTP on loopback. And emptying a versioned bucket that holds delete markers
answers 500, so it could not be destroyed.
"""

import json

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket, FakeDeleteMarker

from lab.cloud.corrections.patching import Method, extends, replaces


def _only_without_tls(statement: dict[str, dict[str, dict[str, object]]]) -> bool:
    wanted = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
    return str(wanted).lower() == "false"


@extends(FakeBucket, "get_permission")
def get_permission(
    original: Method, bucket: FakeBucket, action: str, resource: str
) -> PermissionResult:
    """What the bucket policy says to a request that came by TLS."""
    if bucket.policy is None:
        permission: PermissionResult = original(bucket, action, resource)
        return permission
    policy = json.loads(bucket.policy)
    statements = policy["Statement"]
    policy["Statement"] = [
        statement
        for statement in (statements if isinstance(statements, list) else [statements])
        if not _only_without_tls(statement)
    ]
    return IAMPolicy(json.dumps(policy)).is_action_permitted(action, resource)


@replaces(FakeDeleteMarker, "dispose")
def dispose(marker: FakeDeleteMarker, garbage: bool = False) -> None:  # noqa: FBT001, FBT002 - moto's signature
    """Nothing: a delete marker holds no data. DeleteObjects calls it for every version."""
