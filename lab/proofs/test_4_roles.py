"""Proof 4: the metadata service wants a token, and a node's role reads no other node's secrets."""

import json

import pytest

from lab.proofs.lab_session import LabSession

_METADATA = """\
import json, urllib.error, urllib.request

BASE = "http://169.254.169.254/latest/"


def ask(path, method="GET", **headers):
    request = urllib.request.Request(BASE + path, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, b""


NAME = "X-aws-ec2-metadata-token"
token = ask("api/token", "PUT", **{NAME + "-ttl-seconds": "60"})[1].decode()
paths = ["meta-data/instance-id", "user-data", "meta-data/iam/security-credentials/"]
print(json.dumps({
    "without": [ask(path)[0] for path in paths],
    "wrong": [ask(path, **{NAME: "made-up"})[0] for path in paths],
    "with": [ask(path, **{NAME: token})[0] for path in paths],
    "proxied": ask("api/token", "PUT", **{NAME + "-ttl-seconds": "60", "X-Forwarded-For": "x"})[0],
    "instance": ask(paths[0], **{NAME: token})[1].decode(),
}))
"""

_ROLE = """\
import json, sys
import boto3
from botocore.exceptions import ClientError

me = json.load(open("/etc/ha-kubernetes/node.json"))
others, cluster = sys.argv[1:], me["cluster"]
make = lambda service: boto3.client(service, region_name=me["region"])
ssm, s3, cloudwatch = make("ssm"), make("s3"), make("cloudwatch")
bucket = me["agent"]["bucket"]


def code(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "allowed"


def files(name):
    path = f"/{cluster}/nodes/{name}/files"
    return code(ssm.get_parameters_by_path, Path=path, WithDecryption=True)


def status(name):
    return f"/{cluster}/nodes/{name}/status"


print(json.dumps({
    "own files": files(me["name"]),
    "files": {name: files(name) for name in others},
    "one file": {name: code(
        ssm.get_parameter, Name=f"/{cluster}/nodes/{name}/files/ca.crt", WithDecryption=True
    ) for name in others},
    "without decryption": {name: code(
        ssm.get_parameters_by_path, Path=f"/{cluster}/nodes/{name}/files"
    ) for name in others},
    "status": {name: code(
        ssm.put_parameter, Name=status(name), Value="{}", Type="String", Overwrite=True
    ) for name in others},
    "members": code(ssm.put_parameter, Name=f"/{cluster}/etcd/members", Value="[]", Overwrite=True),
    "snapshot": {name: code(
        s3.put_object, Bucket=bucket, Key=f"snapshots/{name}/x", Body=b""
    ) for name in others},
    "snapshot for good": {name: code(
        s3.delete_object, Bucket=bucket, Key=f"snapshots/{name}/x", VersionId="null"
    ) for name in others},
    "any snapshot": code(s3.get_object, Bucket=bucket, Key="snapshots/none"),
    "metric": {namespace: code(
        cloudwatch.put_metric_data,
        Namespace=namespace,
        MetricData=[{"MetricName": "MissingMembers", "Value": 0}],
    ) for namespace in ("ha-kubernetes", "ha-kubernetes/another", "AWS/EC2")},
    "agent": code(s3.put_object, Bucket=bucket, Key=me["agent"]["key"], Body=b""),
}))
"""

DENIED = {"AccessDeniedException", "AccessDenied"}


def test_metadata_without_a_token_is_refused(session: LabSession) -> None:
    for node in session.lab.nodes().values():
        found = json.loads(session.within(node, "python3", "-I", "-c", _METADATA))
        assert found["without"] == [401, 401, 401]
        assert found["wrong"] == [401, 401, 401]
        assert found["with"] == [200, 200, 200]
        assert found["proxied"] == 403
        assert found["instance"] == node.instance.id


@pytest.mark.parametrize("tier", ["etcd", "api"])
def test_a_nodes_role_reads_and_writes_nothing_of_another_node(
    session: LabSession, tier: str
) -> None:
    names = list(session.lab.nodes())
    for node in session.nodes(tier):
        others = [name for name in names if name != node.name]
        found = json.loads(session.within(node, "python3", "-I", "-c", _ROLE, *others))
        assert found.pop("own files") == "allowed"
        assert {found.pop("members"), found.pop("agent")} <= DENIED
        # A node of one cluster must not be able to keep the alarms of another one silent.
        assert set(found.pop("metric").values()) <= DENIED
        # Any member may restore, so it reads every member's snapshots; an API server reads none.
        may_read = {"NoSuchKey"} if tier == "etcd" else DENIED
        assert found.pop("any snapshot") in may_read
        for what, codes in found.items():
            assert set(codes) == set(others)
            assert set(codes.values()) <= DENIED, f"{node.name}: {what}: {codes}"
