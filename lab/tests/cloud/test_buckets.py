"""A bucket as the program makes it can be used, and destroyed."""

import json
import urllib.request

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.cloud import aws_environment, requests


@pytest.fixture
def bucket(aws):
    s3 = aws("s3")
    name = "snapshots-of-the-tests"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    yield s3, name
    versions = s3.list_object_versions(Bucket=name)
    listed = [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]
    objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed]
    if objects:
        assert "Errors" not in s3.delete_objects(Bucket=name, Delete={"Objects": objects})
    s3.delete_bucket(Bucket=name)
    with pytest.raises(ClientError, match="404"):
        s3.head_bucket(Bucket=name)


def _policy(name, *, effect, condition):
    statement = {
        "Effect": effect,
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        **condition,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_policy_that_wants_tls_denies_nobody(bucket):
    s3, name = bucket
    condition = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket=name, Policy=_policy(name, effect="Deny", condition=condition))

    s3.put_object(Bucket=name, Key="etcd/1.db", Body=b"snapshot")
    assert s3.get_object(Bucket=name, Key="etcd/1.db")["Body"].read() == b"snapshot"
    assert s3.head_object(Bucket=name, Key="etcd/1.db")["ContentLength"] == 8


def test_any_other_deny_still_denies(bucket):
    s3, name = bucket
    s3.put_object(Bucket=name, Key="etcd/1.db", Body=b"snapshot")
    s3.put_bucket_policy(Bucket=name, Policy=_policy(name, effect="Deny", condition={}))
    with pytest.raises(ClientError, match=r"AccessDenied|Forbidden"):
        s3.get_object(Bucket=name, Key="etcd/1.db")
    s3.delete_bucket_policy(Bucket=name)


def test_versions_and_delete_markers_can_be_emptied(bucket):
    s3, name = bucket
    for body in (b"one", b"two"):
        s3.put_object(Bucket=name, Key="etcd/1.db", Body=body)
    s3.delete_object(Bucket=name, Key="etcd/1.db")
    assert s3.list_object_versions(Bucket=name)["DeleteMarkers"]
    # The fixture empties and deletes the bucket, and fails if that fails.


TAGS = [{"Key": "Name", "Value": "local"}, {"Key": "empty", "Value": ""}]


@pytest.mark.parametrize("tags", [TAGS, TAGS[:1], []])
def test_a_bucket_has_the_tags_that_it_was_made_with(aws, tags):
    s3, name = aws("s3"), "made-with-tags"
    place = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(
        Bucket=name, CreateBucketConfiguration={**place, "Tags": tags} if tags else place
    )
    try:
        if tags:
            assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags
        else:
            with pytest.raises(ClientError, match="NoSuchTagSet"):
                s3.get_bucket_tagging(Bucket=name)
    finally:
        s3.delete_bucket(Bucket=name)


def test_s3_control_has_the_tags_of_a_bucket_too(aws, emulator):
    """Newer providers ask it, at `<account>.<host>`: a name that only a proxy can resolve."""
    s3, name, account = aws("s3"), "tags-by-s3-control", "123456789012"
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    proxy = aws_environment.variables(emulator.endpoint)["HTTP_PROXY"]
    control = aws_environment.session().client(
        "s3control", endpoint_url=emulator.endpoint, config=Config(proxies={"http": proxy})
    )
    bucket = {"AccountId": account, "ResourceArn": f"arn:aws:s3:::{name}"}
    try:
        assert control.list_tags_for_resource(**bucket)["Tags"] == []
        control.tag_resource(**bucket, Tags=TAGS)
        assert control.list_tags_for_resource(**bucket)["Tags"] == TAGS
        assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == TAGS
        control.untag_resource(**bucket, TagKeys=["empty"])
        assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == TAGS[:1]
        with urllib.request.urlopen(f"{emulator.endpoint}{requests.PATH}") as answer:  # noqa: S310 - a loopback address
            asked = {(one["action"], one["resource"]) for one in json.load(answer)}
        assert {
            (f"s3:{action}Resource", bucket["ResourceArn"])
            for action in ("ListTagsFor", "Tag", "Untag")
        } <= asked
    finally:
        s3.delete_bucket(Bucket=name)
