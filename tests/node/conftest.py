"""One node in a directory, with the services that it uses on loopback ports."""

import json
import os
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import backends
from moto.server import ThreadedMotoServer
from mypy_boto3_s3 import S3Client
from mypy_boto3_ssm import SSMClient

from components.nodes.operations_parameter import operations_document
from config import check
from node import web
from node.settings import Settings, parse
from tests.node.doubles import Metadata, serve
from tests.node.issued_certificates import Authority

REGION = "eu-central-1"
BUCKET = "test-bucket"


@pytest.fixture(scope="session")
def authority() -> Authority:
    return Authority("etcd-ca")


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    modules = tuple(backends.list_of_moto_modules())
    with pytest.MonkeyPatch.context() as patched:
        # moto lists its own directory for every request otherwise.
        patched.setattr(backends, "list_of_moto_modules", lambda: modules)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture(scope="session")
def metadata_url() -> Iterator[str]:
    with serve(Metadata) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The root directory of the node."""
    path = tmp_path / "root"
    path.mkdir()
    monkeypatch.setenv("HA_NODE_ROOT", str(path))
    # Where mkfs and blkid are; a user's own PATH often lacks it, systemd's has it.
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}:/usr/sbin")
    return path


@pytest.fixture
def aws(moto_url: str, metadata_url: str, monkeypatch: pytest.MonkeyPatch) -> SSMClient:
    """An empty account, and the client of whoever runs `pulumi up`."""
    for variable, value in {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata_url,
        # moto makes a thousand images for each test otherwise.
        "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
    }.items():
        monkeypatch.setenv(variable, value)
    web.ask(HTTPConnection(moto_url.removeprefix("http://")), "/moto-api/reset", "POST")
    return boto3.client("ssm", region_name=REGION)


@pytest.fixture
def bucket(aws: SSMClient) -> str:
    """The cluster's bucket, empty, and what the stack says of snapshots."""
    document = operations_document(check({}, stack="test"))
    aws.put_parameter(Name="/test/operations", Value=document, Type="String", Overwrite=True)
    boto3.client("s3", region_name=REGION).create_bucket(
        Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    return BUCKET


@pytest.fixture
def s3(bucket: str) -> S3Client:
    """A person's client, and the cluster's bucket."""
    assert bucket == BUCKET
    return boto3.client("s3", region_name=REGION)


@pytest.fixture
def aws_down(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Take AWS and the metadata service away."""

    def cut() -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:1")
        # The retries are botocore's, and slow.
        monkeypatch.setattr("node.aws.ATTEMPTS", 1)

    return cut


def etcd(address: str) -> dict[str, Any]:
    """The etcd part of a member's node.json."""
    return {
        "address": address,
        "volumeId": "vol-0abc",
        "snapshotBucket": BUCKET,
    }


def document(name: str = "etcd-0", **changes: Any) -> dict[str, Any]:
    """node.json of a node."""
    tier = name.partition("-")[0]
    base = {
        "cluster": "test",
        "name": name,
        "tier": tier,
        "region": REGION,
        "parameters": {
            "files": f"/test/nodes/{name}/files",
            "status": f"/test/nodes/{name}/status",
            "members": "/test/etcd/members",
            "formation": "/test/etcd/formation",
            "operations": "/test/operations",
        },
        "artifacts": [],
    }
    if tier == "etcd":
        base["etcd"] = etcd("127.0.0.1")
    return {**base, **changes}


@pytest.fixture
def node(root: Path) -> Callable[..., Settings]:
    """The settings of a node by name, with changes, as written to its node.json."""

    def settings(name: str = "etcd-0", **changes: Any) -> Settings:
        text = json.dumps(document(name, **changes))
        path = root / "etc/ha-kubernetes/node.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return parse(json.loads(text))

    return settings


@pytest.fixture(autouse=True)
def hostnames(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What this machine would have been called: it keeps its name."""
    given: list[str] = []
    monkeypatch.setattr("socket.sethostname", given.append)
    return given


@pytest.fixture(autouse=True)
def users(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The users of the daemons exist; who was given what, by file name."""
    given: list[tuple[str, str]] = []

    def chown(path: Path, user: str, group: str) -> None:
        assert user == group
        given.append((Path(path).name, user))

    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr("shutil.chown", chown)
    return given


@pytest.fixture
def etcd_tier(aws, root, tmp_path, monkeypatch, authority, etcd_binaries):  # noqa: PLR0917  fixtures
    """A tier without machines."""
    from tests.node.etcd_tier import Tier

    monkeypatch.setenv("PATH", f"{etcd_binaries}:{os.environ['PATH']}")
    tier = Tier(aws, tmp_path, etcd_binaries, authority)
    yield tier
    tier.close()


def put_files(aws: SSMClient, name: str, files: dict[str, str]) -> None:
    """Store a node's files as Pulumi does."""
    for file, content in files.items():
        aws.put_parameter(
            Name=f"/test/nodes/{name}/files/{file}",
            Value=content,
            Type="SecureString",
            Overwrite=True,
        )


@pytest.fixture
def systemctl(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Callable[[], list[str]]]:
    """Put a systemctl in the way that prints a state; it returns what it was asked for."""

    def install(state: str, status: int = 0) -> Callable[[], list[str]]:
        log = tmp_path / "systemctl.log"
        tool = tmp_path / "tools" / "systemctl"
        tool.parent.mkdir(exist_ok=True)
        tool.write_text(
            f'#!/bin/sh\necho "$@" >> {log}\necho {state}\necho "it says why" >&2\nexit {status}\n'
        )
        tool.chmod(0o755)
        monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
        return lambda: log.read_text().splitlines()

    return install
