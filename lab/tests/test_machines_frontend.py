"""The front end: names over TLS, downloads, and requests that the caller's role allows or not."""

import socket
import ssl
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPSConnection
from pathlib import Path
from types import SimpleNamespace

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from lab.machines import lab_ca
from lab.machines.download_store import Store
from lab.machines.frontend import tls_server
from lab.machines.frontend.application import FrontEnd
from lab.machines.roles import Caller


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    directory = tmp_path_factory.mktemp("ca")
    lab_ca.make(directory)
    return lab_ca.read(directory)


POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "ssm:*Parameter", "Resource": "arn:*:parameter/mine/*"},
        {"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::mine/*"]},
    ],
}
ROLES = SimpleNamespace(
    caller=lambda key, token: Caller("role", "i-1") if (key, token) == ("ASIA1", "t") else None,
    policies=lambda role: [POLICY],
)
LOOKUP = SimpleNamespace(
    secure_parameters=lambda path: [], bucket_key=lambda bucket: None, key=lambda key: key
)


@pytest.fixture(scope="module")
def emulator(tmp_path_factory):
    from lab.cloud import emulator_server as emulators

    running = emulators.start(tmp_path_factory.mktemp("emulator"), port=0)
    yield running
    running.stop()


@pytest.fixture
def address(ca, emulator, tmp_path) -> Iterator[tuple[str, int]]:
    binary = tmp_path / "kube-apiserver"
    binary.write_bytes(b"\0binary" * 100_000)
    front = FrontEnd(
        emulator=("127.0.0.1", emulator.identity.port),
        region="eu-central-1",
        account="123456789012",
        roles=ROLES,
        lookup=LOOKUP,
        store=lambda: Store({("dl.k8s.io", "/release/kube-apiserver"): binary}, {}),
    )
    listener = socket.create_server(("127.0.0.1", 0))
    running = tls_server.serve(listener, front, ca)
    yield listener.getsockname()
    running.shutdown()
    running.server_close()
    listener.close()


@pytest.fixture
def trusting(ca, tmp_path) -> Path:
    file = tmp_path / "ca.crt"
    file.write_bytes(ca.certificate)
    return file


@pytest.fixture
def get(address, trusting):
    """Asks for a URL's path on a host, by the host's real name."""

    def make(host: str, path: str):
        context = ssl.create_default_context(cafile=str(trusting))
        connection = HTTPSConnection(host, context=context, timeout=20)
        connection._create_connection = lambda *_, **__: socket.create_connection(address, 20)
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer.status, body

    return make


@pytest.fixture
def client(address, trusting, monkeypatch):
    """Makes boto3 clients that find AWS at the front end, under its own names."""
    original = socket.getaddrinfo

    def resolve(host, port, *args, **kwargs):
        if host.endswith(".amazonaws.com"):
            return original(address[0], address[1], *args, **kwargs)
        return original(host, port, *args, **kwargs)

    for name in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("urllib3.util.connection.socket.getaddrinfo", resolve)

    def make(service: str, token: str = "t"):  # noqa: S107 - of this test
        return boto3.client(
            service,
            region_name="eu-central-1",
            aws_access_key_id="ASIA1",
            aws_secret_access_key="s",
            aws_session_token=token,
            verify=str(trusting),
            config=Config(retries={"total_max_attempts": 1}),
        )

    return make


def code(call, **arguments) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return caught.value.response["Error"]["Code"]


def test_downloads_are_whole_and_exact(get):
    assert get("dl.k8s.io", "/release/kube-apiserver") == (200, b"\0binary" * 100_000)
    assert get("dl.k8s.io", "/release/other")[0] == 404
    assert get("github.com", "/release/kube-apiserver")[0] == 404


def test_a_name_has_a_certificate_of_its_own(get):
    for host in ("github.com", "dl.k8s.io", "github.com"):
        get(host, "/")


def test_what_the_role_allows_reaches_the_emulator(client):
    ssm = client("ssm")
    ssm.put_parameter(Name="/mine/a", Value="b", Type="String")
    answer = ssm.get_parameter(Name="/mine/a")
    assert answer["Parameter"]["Value"] == "b"
    # Nodes tell the age of a parameter by it; one that is sent on alongside the server's own is none.
    date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
    assert parsedate_to_datetime(date).tzinfo is not None


def test_what_the_role_does_not_allow_never_does(client):
    ssm = client("ssm")
    assert code(ssm.put_parameter, Name="/other/a", Value="b", Type="String") == (
        "AccessDeniedException"
    )
    assert code(client("iam").list_roles) == "AccessDenied"
    assert code(client("ec2").describe_instances) == "AccessDenied"
    assert code(client("s3").get_object, Bucket="other", Key="k") == "AccessDenied"


def test_keys_that_nobody_was_given_are_refused(client):
    assert code(client("ssm", "x").get_parameter, Name="/mine/a") == "UnrecognizedClientException"
    assert code(client("s3", "x").get_object, Bucket="mine", Key="k") == "InvalidAccessKeyId"


def test_objects_pass_in_both_directions(client, emulator):
    from lab.stack.cloud import clients

    clients(emulator)("s3").create_bucket(
        Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    body = bytes(range(256)) * 4000
    s3 = client("s3")
    s3.put_object(Bucket="mine", Key="etcd-0/a b", Body=body)
    assert s3.get_object(Bucket="mine", Key="etcd-0/a b")["Body"].read() == body


def test_one_that_falls_silent_keeps_nobody_waiting(address, get):
    with socket.create_connection(address) as silent:
        silent.send(b"\x16")
        assert get("dl.k8s.io", "/release/kube-apiserver")[0] == 200
