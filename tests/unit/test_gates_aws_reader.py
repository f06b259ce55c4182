"""What gates ask, against moto in this process and against servers that refuse."""

import json
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import boto3
import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    LoginRefreshRequired,
    RefreshWithMFAUnsupportedError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from moto import mock_aws

from components.gates.aws_reader import AwsAccessDeniedError, AwsReader, AwsUnavailableError

ACCOUNT, REGION = "123456789012", "eu-central-1"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch):
    for name, value in {
        "AWS_ACCESS_KEY_ID": "emulated",
        "AWS_SECRET_ACCESS_KEY": "emulated",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }.items():
        monkeypatch.setenv(name, value)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def aws():
    with mock_aws():
        yield lambda service: boto3.client(service, region_name=REGION)


def cloud(*, profile=None, account=ACCOUNT):
    return AwsReader(region=REGION, profile=profile, account_id=account)


def test_parameters_have_a_version_and_missing_ones_are_missing(aws):
    ssm = aws("ssm")
    ssm.put_parameter(Name="/prod/nodes/etcd-0/status", Value="{}", Type="String")
    ssm.put_parameter(Name="/prod/nodes/etcd-0/status", Value="[]", Type="String", Overwrite=True)
    names = [f"/prod/nodes/etcd-{number}/status" for number in range(7)]
    found = cloud().parameters([*names, "/prod/etcd/formation"])
    assert {name: (p.value, p.version) for name, p in found.items()} == {names[0]: ("[]", 2)}


def launched(ec2):
    """An instance that EC2 has just launched."""
    image = ec2.register_image(Name="any")
    (subnet, *_) = ec2.describe_subnets()["Subnets"]
    launch = ec2.run_instances(
        ImageId=image["ImageId"], SubnetId=subnet["SubnetId"], MinCount=1, MaxCount=1
    )
    return launch["Instances"][0]


def test_a_machine_runs_until_it_is_stopped(aws):
    ec2 = aws("ec2")
    instance = launched(ec2)["InstanceId"]
    asked = cloud()
    assert asked.runs(instance)
    ec2.stop_instances(InstanceIds=[instance])
    assert not asked.runs(instance)
    ec2.terminate_instances(InstanceIds=[instance])
    assert not asked.runs(instance)
    assert not asked.runs("i-0123456789abcdef0"), "one that EC2 has forgotten"


def test_disks_are_found_by_name_and_cluster_while_they_are_attached(aws):
    ec2 = aws("ec2")
    instance = launched(ec2)
    volumes = {}
    for name, cluster in (("prod-etcd-0-data", "prod"), ("prod-etcd-0-data", "other")):
        tags = {"Name": name, f"kubernetes.io/cluster/{cluster}": "owned"}
        volumes[cluster] = ec2.create_volume(
            Size=8,
            AvailabilityZone=instance["Placement"]["AvailabilityZone"],
            TagSpecifications=[
                {
                    "ResourceType": "volume",
                    "Tags": [{"Key": k, "Value": v} for k, v in tags.items()],
                }
            ],
        )["VolumeId"]
    asked = cloud()
    assert asked.attached_volumes(name="prod-etcd-0-data", cluster="prod") == []
    for device, volume in zip("fg", volumes.values(), strict=True):
        ec2.attach_volume(
            VolumeId=volume, InstanceId=instance["InstanceId"], Device=f"/dev/sd{device}"
        )
    assert asked.attached_volumes(name="prod-etcd-0-data", cluster="prod") == [volumes["prod"]]
    assert asked.attached_volumes(name="prod-etcd-1-data", cluster="prod") == []


def test_targets_by_address(aws):
    elb, ec2 = aws("elbv2"), aws("ec2")
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    group = elb.create_target_group(
        Name="api", Protocol="TCP", Port=6443, VpcId=vpc["VpcId"], TargetType="ip"
    )["TargetGroups"][0]["TargetGroupArn"]
    assert cloud().targets(group) == {}
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "172.31.0.9"}])
    assert set(cloud().targets(group)) == {"172.31.0.9"}


def test_another_account_than_the_providers_is_an_error(aws):
    with pytest.raises(AwsAccessDeniedError) as error:
        cloud(account="999999999999").parameters(["/prod/etcd/formation"])
    assert str(error.value) == (
        "the gates' credentials are of account 123456789012 and the provider's of 999999999999: "
        "set AWS_PROFILE or the AWS_* variables to the provider's"
    )


@contextmanager
def answering(status, body, monkeypatch):
    """An AWS that gives every request but the first, which is for the account, the same answer."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            sent = self.rfile.read(int(self.headers["Content-Length"])).decode()
            is_identity = "GetCallerIdentity" in sent
            answer = IDENTITY if is_identity else body
            self.send_response(200 if is_identity else status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        yield
        server.shutdown()
        thread.join()


IDENTITY = f"""<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Account>{ACCOUNT}</Account></GetCallerIdentityResult>
</GetCallerIdentityResponse>"""


def problem(code):
    return json.dumps({"__type": code, "message": "no"})


@pytest.mark.parametrize("code", ["AccessDeniedException", "UnauthorizedOperation"])
def test_a_missing_permission_is_named(monkeypatch, code):
    with answering(400, problem(code), monkeypatch), pytest.raises(AwsAccessDeniedError) as error:
        cloud().parameters(["/prod/etcd/formation"])
    assert str(error.value) == (
        f"AWS refuses ssm:GetParameters ({code}): allow it to who runs pulumi up"
    )


@pytest.mark.parametrize(
    "code",
    [
        "AuthFailure",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ],
)
def test_credentials_that_ended_are_no_silence(monkeypatch, code):
    with answering(400, problem(code), monkeypatch), pytest.raises(AwsAccessDeniedError) as error:
        cloud().parameters(["/prod/etcd/formation"])
    assert f"does not accept these credentials any more ({code}): log in again" in str(error.value)


@pytest.mark.parametrize(
    "error",
    [
        CredentialRetrievalError(provider="custom-process", error_msg="expired"),
        LoginRefreshRequired(),
        RefreshWithMFAUnsupportedError(),
        SSOTokenLoadError(error_msg="no file"),
        TokenRetrievalError(provider="sso", error_msg="expired"),
        UnauthorizedSSOTokenError(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_session_that_ended_on_this_machine_is_no_silence(monkeypatch, error):
    def client(*_args, **_options):
        raise error

    monkeypatch.setattr(boto3.Session, "client", client)
    with pytest.raises(AwsAccessDeniedError, match=r"log in again$"):
        cloud().parameters(["/prod/etcd/formation"])


def test_time_is_told_to_credentials_that_are_refused_too(aws, monkeypatch):
    apart = datetime.now(UTC) - cloud().time()
    assert abs(apart) < timedelta(minutes=1)

    def refused(*_args, **_options):
        raise ClientError(
            {
                "Error": {"Code": "RequestExpired"},
                "ResponseMetadata": {"HTTPHeaders": {"date": "Sat, 28 Nov 2026 10:37:14 GMT"}},
            },
            "GetCallerIdentity",
        )

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", refused)
    assert cloud().time() == datetime(2026, 11, 28, 10, 37, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "code"), [(400, "ThrottlingException"), (500, "InternalServerError")]
)
def test_what_may_pass_is_no_refusal(monkeypatch, status, code):
    with answering(status, problem(code), monkeypatch), pytest.raises(AwsUnavailableError) as error:
        cloud().parameters(["/prod/etcd/formation"])
    assert str(error.value) == f"AWS does not answer ssm:GetParameters ({code})"


def test_no_answer_at_all_is_no_refusal(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(AwsUnavailableError, match=r"ssm:GetParameters \(EndpointConnectionError\)"):
        cloud().parameters(["/prod/etcd/formation"])


def test_missing_credentials_and_profiles_are_told(monkeypatch):
    with pytest.raises(AwsAccessDeniedError, match=r"nobody.*set AWS_PROFILE"):
        cloud(profile="nobody").targets("arn:group")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    with pytest.raises(
        AwsAccessDeniedError, match=r"Unable to locate credentials: set AWS_PROFILE"
    ):
        cloud().targets("arn:group")
