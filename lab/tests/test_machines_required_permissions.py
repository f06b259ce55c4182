"""Which permissions a request needs: requests as botocore signs and sends them."""

from collections.abc import Iterable

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from lab.machines.frontend.call import Call
from lab.machines.frontend.policy import Permission
from lab.machines.frontend.required_permissions import UnknownOperationError, required_permissions

REGION, ACCOUNT = "eu-central-1", "123456789012"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
GROUP = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}:autoScalingGroup:1:autoScalingGroupName"
SSM = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter"


class Known:
    """An account with one encrypted parameter and one encrypted bucket."""

    def secure_parameters(self, path: str) -> Iterable[tuple[str, str]]:
        return [("/c/a/key", KEY)] if path in {"/c/a", "/c/a/key"} else []

    def bucket_key(self, bucket: str) -> str | None:
        return KEY if bucket == "snapshots" else None

    def key(self, key_id: str) -> str:
        return KEY

    def scaling_group(self, name: str) -> tuple[str, dict[str, str]]:
        return f"{GROUP}/{name}", {"ha-kubernetes:pool": "default"}


@pytest.fixture
def sent():
    """Makes the Call that a boto3 operation sends."""

    def make(service: str, operation: str, **arguments) -> Call:
        calls: list[Call] = []
        client = boto3.client(
            service,
            region_name=REGION,
            aws_access_key_id="ASIATEST",
            aws_secret_access_key="secret",
            aws_session_token="token",
        )

        def catch(request, **_):
            url = request.url.removeprefix("https://")
            host, _, rest = url.partition("/")
            path, _, query = f"/{rest}".partition("?")
            headers = {
                name.lower(): value.decode() if isinstance(value, bytes) else str(value)
                for name, value in request.headers.items()
            }
            body = request.body or b""
            if hasattr(body, "read"):
                body = body.read()
            body = body.encode() if isinstance(body, str) else bytes(body)
            calls.append(Call(request.method, host, path, query, headers, body))
            return AWSResponse(request.url, 500, {}, None)

        client.meta.events.register("before-send", catch)
        with pytest.raises(Exception):  # noqa: B017, PT011 - the caught request has no real answer
            getattr(client, operation)(**arguments)
        return calls[0]

    return make


def needed(call: Call) -> list[Permission]:
    return required_permissions(call, REGION, ACCOUNT, Known())


def test_who_asks_is_read_from_the_signature(sent):
    call = sent("ssm", "get_parameter", Name="/c/members")
    assert (call.access_key, call.token, call.service) == ("ASIATEST", "token", "ssm")


def test_a_parameter(sent):
    assert needed(sent("ssm", "get_parameter", Name="/c/members")) == [
        Permission("ssm:GetParameter", f"{SSM}/c/members")
    ]


def test_decrypting_needs_the_key_for_each_secret(sent):
    call = sent("ssm", "get_parameters_by_path", Path="/c/a/", WithDecryption=True)
    context = {
        "kms:EncryptionContext:PARAMETER_ARN": f"{SSM}/c/a/key",
        "kms:ViaService": f"ssm.{REGION}.amazonaws.com",
    }
    assert needed(call) == [
        Permission("ssm:GetParametersByPath", f"{SSM}/c/a"),
        Permission("kms:Decrypt", KEY, context),
    ]


def test_all_of_several_parameters(sent):
    assert needed(sent("ssm", "get_parameters", Names=["/c/x", "/c/y"])) == [
        Permission("ssm:GetParameters", f"{SSM}/c/x"),
        Permission("ssm:GetParameters", f"{SSM}/c/y"),
    ]


def test_what_a_parameter_once_was(sent):
    assert needed(sent("ssm", "get_parameter_history", Name="/c/x")) == [
        Permission("ssm:GetParameterHistory", f"{SSM}/c/x")
    ]


def test_writing_a_secret_needs_the_key_too(sent):
    call = sent("ssm", "put_parameter", Name="/c/a/key", Value="x", Type="SecureString")
    assert [one.action for one in needed(call)] == ["ssm:PutParameter", "kms:Encrypt"]


def test_objects_of_an_encrypted_bucket(sent):
    context = {
        "kms:ViaService": f"s3.{REGION}.amazonaws.com",
        "kms:EncryptionContext:aws:s3:arn": "arn:aws:s3:::snapshots",
    }
    assert needed(sent("s3", "get_object", Bucket="snapshots", Key="a/b c")) == [
        Permission("s3:GetObject", "arn:aws:s3:::snapshots/a/b c"),
        Permission("kms:Decrypt", KEY, context),
    ]
    assert needed(sent("s3", "put_object", Bucket="snapshots", Key="a", Body=b"x")) == [
        Permission("s3:PutObject", "arn:aws:s3:::snapshots/a"),
        Permission("kms:GenerateDataKey", KEY, context),
    ]


def test_deleting_an_object_a_version_and_an_upload_are_three_things(sent):
    what = {"Bucket": "plain", "Key": "a"}
    arn = "arn:aws:s3:::plain/a"
    assert needed(sent("s3", "delete_object", **what)) == [Permission("s3:DeleteObject", arn)]
    assert needed(sent("s3", "delete_object", VersionId="v", **what)) == [
        Permission("s3:DeleteObjectVersion", arn)
    ]
    assert needed(sent("s3", "abort_multipart_upload", UploadId="u", **what)) == [
        Permission("s3:AbortMultipartUpload", arn)
    ]


def test_listing_says_what_it_lists(sent):
    call = sent("s3", "list_objects_v2", Bucket="plain", Prefix="etcd-0/")
    assert needed(call) == [
        Permission("s3:ListBucket", "arn:aws:s3:::plain", {"s3:prefix": "etcd-0/"})
    ]


def test_metrics_say_their_namespace(sent):
    call = sent(
        "cloudwatch", "put_metric_data", Namespace="n", MetricData=[{"MetricName": "m", "Value": 1}]
    )
    assert needed(call) == [
        Permission("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "n"})
    ]


def test_everyone_may_ask_who_he_is(sent):
    assert needed(sent("sts", "get_caller_identity")) == []


def test_a_key_with_its_context(sent):
    call = sent("kms", "decrypt", KeyId=KEY, CiphertextBlob=b"x", EncryptionContext={"a": "b"})
    assert needed(call) == [Permission("kms:Decrypt", KEY, {"kms:EncryptionContext:a": "b"})]


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("s3", "get_object_acl", {"Bucket": "b", "Key": "k"}),
        ("s3", "put_bucket_policy", {"Bucket": "b", "Policy": "{}"}),
        ("s3", "list_buckets", {}),
        ("ssm", "describe_parameters", {}),
        ("kms", "list_keys", {}),
        ("iam", "list_roles", {}),
    ],
)
def test_what_nobody_thought_of_is_refused(sent, service, operation, arguments):
    with pytest.raises(UnknownOperationError):
        needed(sent(service, operation, **arguments))


def test_an_unsigned_request_is_refused():
    with pytest.raises(UnknownOperationError, match="unsigned"):
        needed(Call("GET", "s3.amazonaws.com", "/b/k", "", {}, b""))


@pytest.mark.parametrize(
    ("operation", "action", "more"),
    [
        (
            "complete_lifecycle_action",
            "autoscaling:CompleteLifecycleAction",
            {"LifecycleActionResult": "CONTINUE"},
        ),
        (
            "record_lifecycle_action_heartbeat",
            "autoscaling:RecordLifecycleActionHeartbeat",
            {},
        ),
    ],
)
def test_the_end_of_a_drain_is_for_a_group_and_its_tags(sent, operation, action, more):
    call = sent(
        "autoscaling",
        operation,
        AutoScalingGroupName="local-workers-default",
        LifecycleHookName="drain",
        InstanceId="i-1",
        **more,
    )
    assert needed(call) == [
        Permission(
            action,
            f"{GROUP}/local-workers-default",
            {
                "aws:ResourceTag/ha-kubernetes:pool": "default",
                "autoscaling:ResourceTag/ha-kubernetes:pool": "default",
            },
        )
    ]


def test_groups_are_described_without_a_resource(sent):
    call = sent("autoscaling", "describe_auto_scaling_instances")
    assert needed(call) == [Permission("autoscaling:DescribeAutoScalingInstances", "*")]


def test_what_no_machine_has_reason_for_is_unknown(sent):
    call = sent("autoscaling", "delete_auto_scaling_group", AutoScalingGroupName="x")
    with pytest.raises(UnknownOperationError):
        needed(call)
