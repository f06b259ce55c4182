"""A large database through slow connections: limits are about progress, not time."""

import time

import boto3
import pytest
from botocore.config import Config

from node.errors import NodeError
from node.etcd import local_member, snapshot_age, snapshot_attempt
from node.etcd.snapshot_bucket import Bucket
from tests.node.conftest import BUCKET, REGION
from tests.node.relay import Relay

MIB = 1 << 20
SIZE = 64 * MIB
BEHIND = 12379
"""The port that etcd listens on, behind the relay on 2379."""


@pytest.fixture
def slow(etcd_tier, s3):
    """A cluster of one, with a database of SIZE, behind a relay that can be slow."""
    address = etcd_tier.member(0)["address"]
    relay = Relay(address, 2379, (address, BEHIND))
    etcd_tier.form(1, **{"listen-client-urls": f"https://{address}:{BEHIND}"})
    yield etcd_tier.nodes[0], relay
    relay.close()


def fill(tier, size):
    gateway, value = tier.gateway(), "x" * MIB
    for number in range(size // MIB):
        gateway.put(f"large/{number}", value)


@pytest.fixture
def slow_s3(s3, moto_url, monkeypatch):
    """S3 at 10 MiB a second."""
    host, _, port = moto_url.removeprefix("http://").partition(":")
    relay = Relay("127.0.0.1", 0, (host, int(port)), rate=10 * MIB)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{relay.port}")
    yield relay
    relay.close()


def test_it_takes_as_long_as_it_takes(slow, slow_s3, etcd_tier, monkeypatch):
    node, relay = slow
    fill(etcd_tier, SIZE)
    # Four seconds at least: three were the limit once.
    relay._rate = 16 * MIB
    # Less than it takes altogether.
    monkeypatch.setattr(local_member, "STALL", 2)

    began, passed = time.monotonic(), relay.passed
    said = node.snapshot()
    took = time.monotonic() - began

    assert said.startswith("stored snapshots/etcd-0/")
    assert f"{SIZE // MIB} keys" in said
    assert relay.passed - passed > SIZE
    assert slow_s3.passed > SIZE
    assert took > SIZE / (16 * MIB) + SIZE / (2 * 10 * MIB)
    assert 0 <= snapshot_age.age() < took + 5
    told = snapshot_attempt.told()
    assert told["error"] is None
    assert told["revision"] > SIZE // MIB


def test_a_connection_that_stands_still_is_an_error_that_says_where(slow, etcd_tier, monkeypatch):
    node, relay = slow
    fill(etcd_tier, 16 * MIB)
    monkeypatch.setattr(local_member, "STALL", 1)
    relay.freeze_after = relay.passed + 8 * MIB
    # This one must come through before it freezes.
    facts = node.etcdctl("endpoint", "status")[0]["Status"]
    monkeypatch.setattr(local_member, "facts", lambda *_: facts)

    began = time.monotonic()
    with pytest.raises(NodeError, match=r"etcdctl got no further for 1 s, at \d{6,} bytes"):
        node.snapshot()

    assert time.monotonic() - began < 10
    assert "got no further" in snapshot_attempt.told()["error"]
    assert snapshot_age.age() is None, "the alarm must go on"


def test_an_upload_that_fails_leaves_no_parts(node, s3, tmp_path, monkeypatch):
    """s3transfer aborts it, which the role must allow: see the policy's tests."""
    monkeypatch.setattr("node.etcd.snapshot_bucket.PART", 5 * MIB)
    path = tmp_path / "large"
    path.write_bytes(b"x" * 12 * MIB)
    settings = node()
    bucket = Bucket(settings, settings.etcd)
    asked = []
    events = bucket._s3.meta.events
    events.register("before-call.s3.*", lambda model, **_: asked.append(model.name))

    def refused(model, **_):
        if model.name == "UploadPart" and asked.count("UploadPart") > 1:
            raise NodeError("no more")

    events.register("before-call.s3.UploadPart", refused)
    with pytest.raises(NodeError, match="no more"):
        bucket.upload(path, "snapshots/etcd-0/20261124T120000Z-7.db")

    assert "AbortMultipartUpload" in asked
    plain = boto3.client("s3", region_name=REGION, config=Config(retries={"max_attempts": 1}))
    assert not plain.list_multipart_uploads(Bucket=BUCKET).get("Uploads")
