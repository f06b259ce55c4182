"""S3 buckets.

Stock moto does not evaluate policy conditions: a Deny unless `aws:SecureTransport` denies
everything (403 on every object). AWS is reached by TLS, so there that statement denies nothing; the
emulator is plain HTTP on loopback. Emptying a versioned bucket that holds delete markers answers
500, so it could not be destroyed. And tags of a CreateBucket are dropped, while those of a deleted
bucket of that name are back: the Terraform AWS provider, which sends tags there since 6.23, would
find other ones in every refresh.
"""

import json
from collections.abc import Mapping
from xml.etree import ElementTree as ET

from moto.iam.access_control import IAMPolicy, PermissionResult
from moto.s3.models import FakeBucket, FakeDeleteMarker
from moto.s3.responses import S3Response

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


@extends(S3Response, "_bucket_response_put")
def put(
    original: Method, response: S3Response, request: object, bucket: str, query: Mapping[str, str]
) -> object:
    """A PUT of a bucket; one without a query makes it, with the tags of its body and no others."""
    answer = original(response, request, bucket, query)
    if not query:
        tags: dict[str, str] = {}
        if response.body:
            sent = ET.fromstring(response.body)  # noqa: S314 - this machine's own
            for tag in sent.findall("{*}Tags/{*}Tag"):
                tags[tag.findtext("{*}Key", "")] = tag.findtext("{*}Value", "")
        response.backend.put_bucket_tagging(bucket, tags)
    return answer
