"""Snapshots by real etcd members into a bucket: who takes them, and what counts as one."""

import gzip
import json
import re
import shutil
import subprocess
from base64 import b64decode
from collections import namedtuple
from datetime import UTC, datetime, timedelta

import pytest
from moto.core import DEFAULT_ACCOUNT_ID as ACCOUNT
from moto.s3.models import s3_backends

from node.contract import CACHE, RUNTIME
from node.errors import AwsError, NodeError
from node.etcd import (
    disk,
    local_member,
    member_metrics,
    snapshot_age,
    snapshot_attempt,
    snapshots,
)
from node.etcd import snapshot_bucket as buckets
from node.etcd.snapshot_bucket import Bucket
from tests.node.conftest import BUCKET
from tests.node.daemons import wait_until


@pytest.fixture(scope="module")
def kept():
    """The member of a cluster of one, once a test has formed it."""
    nodes = []
    yield nodes
    for node in nodes:
        node.machine.power_off()


@pytest.fixture
def single(s3, etcd_tier, kept, tmp_path_factory):
    """A cluster of one, with something in it, and nothing of another test on its machine."""
    if not kept:
        etcd_tier.directory = tmp_path_factory.mktemp("single")
        kept += form(etcd_tier, 1)
        etcd_tier.nodes.clear()
    (node,) = kept
    node.enter()
    for directory in (CACHE, RUNTIME):
        shutil.rmtree(node.machine.inside(directory), ignore_errors=True)
    return node


def form(tier, size):
    tier.form(size)
    nodes = list(tier.nodes.values())
    nodes[0].etcdctl("put", "first", "1")
    nodes[0].etcdctl("put", "second", "\x01\n binary \x7f")
    nodes[0].etcdctl("del", "first")
    return nodes


def stored(s3):
    return [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


def left(node):
    """Files that were left on the machine, but for what the node always keeps there."""
    directory = node.machine.inside(CACHE)
    found = {path.name for path in directory.rglob("*") if path.is_file()}
    return sorted(found - {"snapshot-tried", "operations.json"})


def test_only_the_leader_takes_one_and_it_restores_byte_for_byte(s3, etcd_tier, tmp_path):
    nodes = form(etcd_tier, 3)
    statuses = [node.etcdctl("endpoint", "status")[0]["Status"] for node in nodes]
    (leader,) = [
        n for n, s in zip(nodes, statuses, strict=True) if s["leader"] == s["header"]["member_id"]
    ]
    for node in nodes:
        if node is not leader:
            said = node.snapshot()
            assert said == "another member leads and takes the snapshots; none is stored yet"
    assert stored(s3) == []

    said = leader.snapshot()
    (key,) = stored(s3)
    revision = statuses[0]["header"]["revision"]
    assert re.fullmatch(rf"snapshots/{leader.name}/\d{{8}}T\d{{6}}Z-{revision}\.db", key)
    assert said.startswith(f"stored {key}: revision {revision}, 1 keys, ")
    assert left(leader) == ["newest-snapshot"]
    for node in nodes:
        if node is not leader:
            assert node.snapshot().endswith(f"the newest is {key}")
            assert snapshot_age.age() < 60

    # A person's own etcd: every key is there, and the revision.
    copy, data = tmp_path / "copy.db", tmp_path / "restored"
    s3.download_file(BUCKET, key, str(copy))
    restore = [leader.machine.binaries / "etcdutl", "snapshot", "restore", copy]
    subprocess.run([*restore, f"--data-dir={data}"], check=True, capture_output=True)
    hashes = [
        json.loads(
            subprocess.run(
                [leader.machine.binaries / "etcdutl", "--write-out=json", "hashkv", path],
                check=True,
                capture_output=True,
            ).stdout
        )
        for path in (copy, data / "member/snap/db")
    ]
    assert hashes[0] == hashes[1]
    (pair,) = leader.etcdctl("get", "", "--prefix")["kvs"]
    assert b64decode(pair["value"]) == b"\x01\n binary \x7f"


def test_a_snapshot_in_parts_is_checked_part_by_part(s3, etcd_tier, monkeypatch):
    (node,) = form(etcd_tier, 1)
    # S3 takes no smaller parts.
    monkeypatch.setattr(buckets, "PART", 5 << 20)
    for number in range(7):
        node.gateway.put(f"large/{number}", "x" * 1_000_000)
    node.snapshot()
    (key,) = stored(s3)
    parts = s3.head_object(Bucket=BUCKET, Key=key, PartNumber=1)["PartsCount"]
    assert parts > 1


def test_what_arrived_damaged_does_not_count(single, s3, monkeypatch):
    real = Bucket.upload

    def damaged(self, path, key):
        upload = self._s3.upload_file

        def corrupt(source, *arguments, **options):
            other = path.with_name("other")
            *most, last = path.read_bytes()
            other.write_bytes(bytes((*most, last ^ 1)))
            upload(str(other), *arguments, **options)
            other.unlink()

        monkeypatch.setattr(self._s3, "upload_file", corrupt)
        real(self, path, key)

    monkeypatch.setattr(Bucket, "upload", damaged)
    with pytest.raises(NodeError, match="S3 holds something else than was sent"):
        single.snapshot()
    assert snapshot_age.age() is None, "the alarm must go on"
    assert left(single) == []


def test_what_etcdctl_wrote_damaged_is_not_sent(single, s3, monkeypatch):
    real = snapshots.local_member.save

    def damaged(settings, mine, path):
        real(settings, mine, path)
        with path.open("r+b") as file:
            file.seek(8192)
            (was,) = file.read(1)
            file.seek(8192)
            file.write(bytes([was ^ 1]))

    monkeypatch.setattr(snapshots.local_member, "save", damaged)
    monkeypatch.setattr(local_member, "facts", lambda *_: facts)
    facts = single.etcdctl("endpoint", "status")[0]["Status"]
    with pytest.raises(NodeError, match=r"snapshot\.db is damaged: its SHA-256"):
        single.snapshot()
    assert stored(s3) == []
    assert left(single) == []


@pytest.mark.parametrize("content", [b"", b"x" * 32, gzip.compress(b"x" * 99, mtime=0)])
def test_other_files_are_no_snapshots(tmp_path, content, monkeypatch, etcd_binaries):
    path = tmp_path / "file.db"
    path.write_bytes(content)
    with pytest.raises(NodeError, match=r"file\.db is damaged"):
        snapshots.inspect(path)


def test_a_sum_that_fits_does_not_make_a_database(tmp_path, monkeypatch, etcd_binaries):
    """What etcdutl is for: the sum says that nothing changed, not that it was right."""
    monkeypatch.setenv("PATH", f"{etcd_binaries}:/usr/bin:/bin")
    body = b"x" * 8192
    path = tmp_path / "file.db"
    path.write_bytes(body + snapshots.hashlib.sha256(body).digest())
    with pytest.raises(NodeError, match=r"file\.db is damaged: etcdutl failed"):
        snapshots.inspect(path)


def test_a_full_disk_is_one_sentence_and_nothing_is_written(single, s3, monkeypatch):
    usage = namedtuple("usage", "total used free")
    free = 200 * snapshots.MIB
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2 * free, free, free))
    with pytest.raises(NodeError, match=r"has 200 MiB free and 256 MiB are needed: make room"):
        single.snapshot()
    assert stored(s3) == []
    assert left(single) == []


def test_without_s3_nothing_stays_on_the_disk_and_the_age_goes_on(single, s3, aws_down):
    newest_before = snapshot_age.remember(900)
    assert newest_before is None
    aws_down()
    with pytest.raises(NodeError, match=r"AWS: .*/snapshots/etcd-0/\d{8}T"):
        single.snapshot()
    assert left(single) == ["newest-snapshot"]
    assert 900 <= snapshot_age.age() < 1000


def test_what_an_interrupted_run_left_is_removed(single, s3):
    directory = single.machine.inside(CACHE)
    directory.mkdir(parents=True)
    for name in ("snapshot.db", "snapshot.db.part"):
        (directory / name).write_bytes(b"half")
    assert single.snapshot().startswith("stored ")
    assert left(single) == ["newest-snapshot"]


def test_without_a_leader_there_is_none(s3, etcd_tier):
    nodes = form(etcd_tier, 3)
    for node in nodes[1:]:
        node.machine.power_off()
    status = lambda: nodes[0].etcdctl("endpoint", "status")[0]["Status"]  # noqa: E731
    wait_until(lambda: not status().get("leader"), "no leader is left")
    with pytest.raises(NodeError, match="etcd has no leader"):
        nodes[0].snapshot()
    nodes[0].machine.power_off()
    with pytest.raises(NodeError, match="etcd does not answer"):
        nodes[0].snapshot()


def test_the_newest_is_so_by_its_revision_and_its_age_is_s3s(s3, node):
    settings = node()
    bucket = Bucket(settings, settings.etcd)
    assert bucket.newest() is None
    for key in (
        # By a member whose clock was behind: more was written when it was taken.
        "snapshots/etcd-1/20261124T100000Z-4000.db",
        "snapshots/etcd-0/20261124T121500Z-90.db",
        "snapshots/etcd-1/20261124T121500Z-1000.db",
        # A copy of an old one, one of another cluster, a number that is no revision, and what is
        # no snapshot.
        "snapshots/etcd-2/20271101T000000Z-5.db",
        "snapshots/imported/20271101T000000Z-70000.db",
        "snapshots/etcd-2/20271101T000000Z-9999999999999999999.db",
        "snapshots/etcd-2/20271101T000000Z-70000.db.txt",
        "program/20281101T000000Z-70000.db",
    ):
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    newest = bucket.newest()
    assert newest.key == "snapshots/etcd-1/20261124T100000Z-4000.db"
    assert 0 <= newest.age < 60


def put_old(s3, days, revision):
    """A snapshot that was stored some days ago; S3 itself cannot be told to say so."""
    when = datetime.now(UTC) - timedelta(days=days)
    key = f"snapshots/etcd-2/{when:%Y%m%dT%H%M%SZ}-{revision}.db"
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"")
    s3_backends[ACCOUNT]["aws"].buckets[BUCKET].keys[key].last_modified = when.replace(tzinfo=None)
    return key


def test_older_ones_are_thinned_out_after_a_new_one_and_can_be_brought_back(single, s3):
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    months_ago, earlier, last = (
        put_old(s3, days, revision) for days, revision in ((60, 1), (10.0001, 2), (10, 3))
    )
    young = put_old(s3, 1, 4)
    foreign = "snapshots/imported/backup.db"
    s3.put_object(Bucket=BUCKET, Key=foreign, Body=b"")

    said = single.snapshot()

    assert said.endswith("; deleted 2 older ones")
    (new,) = set(stored(s3)) - {months_ago, earlier, last, young, foreign}
    assert said.startswith(f"stored {new}: ")
    assert {last, young, foreign} < set(stored(s3))
    assert not {months_ago, earlier} & set(stored(s3))
    versions = s3.list_object_versions(Bucket=BUCKET)
    assert {months_ago, earlier} <= {v["Key"] for v in versions["Versions"]}
    assert {m["Key"] for m in versions["DeleteMarkers"]} == {months_ago, earlier}


def test_nothing_is_deleted_when_the_new_one_fails(single, s3, monkeypatch):
    old = [put_old(s3, 60, 1), put_old(s3, 61, 2)]

    def refused(*_):
        raise NodeError("S3 holds something else")

    monkeypatch.setattr(Bucket, "upload", refused)
    with pytest.raises(NodeError, match="something else"):
        single.snapshot()
    assert stored(s3) == sorted(old)


def test_nothing_is_deleted_while_s3_does_not_list_the_new_one(single, s3, monkeypatch):
    old = put_old(s3, 60, 1)
    monkeypatch.setattr(Bucket, "upload", lambda *_: None)
    assert single.snapshot().endswith(
        "; deleted no older one, because test-bucket does not list it"
    )
    assert stored(s3) == [old]


def test_a_snapshot_counts_although_older_ones_cannot_be_deleted(single, s3, monkeypatch):
    old = put_old(s3, 60, 1)

    def denied(*_):
        raise AwsError("AWS: AccessDenied")

    monkeypatch.setattr(Bucket, "remove", denied)
    assert single.snapshot().endswith("; could not delete older ones: AWS: AccessDenied")
    assert old in stored(s3)
    assert snapshot_attempt.told()["error"] is None


def said_of_itself(single, aws):
    single.report()
    name = single.settings.parameters["status"]
    return json.loads(aws.get_parameter(Name=name)["Parameter"]["Value"])["snapshot"]


def test_one_that_fails_says_so_in_the_status_and_to_the_alarm(single, s3, aws, monkeypatch):
    numbers_of = lambda: member_metrics.numbers(single.settings, single.settings.etcd, {})  # noqa: E731
    assert said_of_itself(single, aws) is None
    assert "SnapshotFailed" not in numbers_of()
    single.snapshot()
    good = said_of_itself(single, aws)
    assert re.fullmatch(r"\d{8}T\d{6}Z", good["time"])
    assert good["revision"] >= 4
    assert good["error"] is None
    assert numbers_of()["SnapshotFailed"] == 0

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(snapshots.local_member, "save", full)
        with pytest.raises(OSError, match="No space left"):
            single.snapshot()
    bad = said_of_itself(single, aws)
    assert bad == {**good, "error": "[Errno 28] No space left on device"}
    assert numbers_of()["SnapshotFailed"] == 1

    single.snapshot()
    assert said_of_itself(single, aws)["error"] is None
    assert numbers_of()["SnapshotFailed"] == 0


def test_one_that_is_killed_each_time_is_a_failure_too(single, s3, aws, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_):
        raise Killed

    single.snapshot()
    with monkeypatch.context() as patch:
        patch.setattr(snapshots.local_member, "save", killed)
        with pytest.raises(Killed):
            single.snapshot()
        # It may be under way still.
        assert said_of_itself(single, aws)["error"] is None
        with pytest.raises(Killed):
            single.snapshot()
        assert said_of_itself(single, aws)["error"] == "the last attempt was interrupted"
    single.snapshot()
    assert said_of_itself(single, aws)["error"] is None


def test_who_does_not_lead_sends_no_verdict(node, root, monkeypatch):
    """Its last attempt may be weeks old."""
    settings = node()
    snapshot_attempt.failed("x" * 9999)
    assert len(snapshot_attempt.told()["error"]) == snapshot_attempt.LONGEST
    facts = {"header": {"member_id": 1}, "leader": 2, "dbSize": 1, "dbSizeQuota": 4}
    monkeypatch.setattr(local_member, "facts", lambda *_: facts)
    assert "SnapshotFailed" not in member_metrics.numbers(settings, settings.etcd, {})
    facts["leader"] = 1
    assert member_metrics.numbers(settings, settings.etcd, {})["SnapshotFailed"] == 1


def test_a_disk_that_is_mounted_is_in_the_status_and_the_numbers(single, aws, monkeypatch):
    space = disk.Space(4 << 30, 1 << 30)
    monkeypatch.setattr(disk, "space", lambda: space)
    single.report()
    name = single.settings.parameters["status"]
    told = json.loads(aws.get_parameter(Name=name)["Parameter"]["Value"])["disk"]
    assert told == {"size": 4 << 30, "free": 1 << 30, "problem": None}
    # 3 of 4 GiB are used, and the quota of 1 GiB is hardly used.
    found = member_metrics.numbers(single.settings, single.settings.etcd, {})
    assert 99 < found["DataDiskNeededPercent"] <= 100
    space = disk.Space(1 << 30, 1 << 29)
    single.report()
    told = json.loads(aws.get_parameter(Name=name)["Parameter"]["Value"])["disk"]
    assert told["problem"].startswith("the file system has 1.0 GiB")


def test_a_snapshot_that_is_not_there_is_named_with_the_remedy(s3, node):
    settings = node()
    with pytest.raises(NodeError, match=r"there is no snapshots/x\.db in test-bucket.*aws s3 ls"):
        Bucket(settings, settings.etcd).size("snapshots/x.db")


def test_s3_that_is_away_is_one_sentence(s3, node, aws_down):
    """Also for the size: a restore asks for it first, and certificates are refreshed after it."""
    aws_down()
    settings = node()
    bucket = Bucket(settings, settings.etcd)
    for ask in (lambda: bucket.size("snapshots/x.db"), bucket.newest, lambda: bucket.remove(["x"])):
        with pytest.raises(AwsError, match="AWS: Could not connect"):
            ask()
