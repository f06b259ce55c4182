"""A tier that starts again from a snapshot: after the loss of all disks, of the quorum, or of sense."""

import dataclasses
import shutil
import subprocess

import pytest

from node import reconcile
from node.contract import CACHE, CLUSTER_ENV, ETCD_DATA, ETCD_MOUNT
from node.errors import NodeError
from node.etcd import act, cluster_token, restore_local, restore_request, snapshots
from node.etcd.snapshot_bucket import Bucket
from node.settings import TOKEN
from tests.node.conftest import BUCKET
from tests.node.daemons import wait_until
from tests.node.etcd_nodes import EtcdMachine
from tests.node.etcd_tier import FORMATION, MEMBERS
from tests.node.etcd_tier import TOKEN as FIRST

SIZE = 3


@pytest.fixture
def saved(s3, etcd_tier):
    """A formed tier with a snapshot of the keys a and b, and a key c that came later."""
    etcd_tier.form(SIZE)
    put(etcd_tier, "a", "1")
    put(etcd_tier, "b", "2")
    for node in etcd_tier.nodes.values():
        node.snapshot()
    (item,) = s3.list_objects_v2(Bucket=BUCKET)["Contents"]
    put(etcd_tier, "c", "3")
    etcd_tier.key = item["Key"]
    etcd_tier.revision = int(item["Key"].rpartition("-")[2].removesuffix(".db"))
    return etcd_tier


def put(tier, key, value):
    tier.gateway().put(key, value)


def formed(tier):
    return tier.get(FORMATION)["formed"]


def contents(tier):
    return {k: v for prefix in "abcd" for k, v in tier.gateway().keys(prefix).items()}


def hashes(tier):
    """What each member has, as etcd itself compares it."""
    return {node.etcdctl("endpoint", "hashkv")[0]["HashKV"]["hash"] for node in tier.nodes.values()}


def inside(node, path):
    return node.machine.inside(path)


def set_aside(node):
    return sorted(p.name for p in inside(node, ETCD_MOUNT).glob("data.*"))


def restored(tier, *numbers):
    """Whether the new cluster is formed, and every member is a voter of it."""
    return formed(tier) and tier.voters(numbers or range(SIZE))


def lose_quorum(tier, *left):
    """Power off all but some machines, and wait until those have noticed."""
    for number, node in tier.nodes.items():
        if number not in left:
            node.machine.power_off()
    for number in left:
        wait_until(lambda node=tier.nodes[number]: not leader(node), "no leader is left")


def leader(node):
    return node.etcdctl("endpoint", "status")[0]["Status"].get("leader")


def test_after_the_loss_of_every_disk(saved, s3):
    for node in saved.nodes.values():
        node.machine.lose_disk()
    said = saved.nodes[1].restore("latest")
    assert said.startswith("etcd-0, etcd-1, etcd-2 will found the cluster test-")
    assert f"from {saved.key} (revision {saved.revision}, 2 keys, " in said
    marker = saved.get(FORMATION)
    assert marker == {
        "formed": False,
        "token": marker["token"],
        "members": saved.get(MEMBERS),
        "snapshot": saved.key,
        "bumpRevision": restore_local.BUMP,
        "superseded": [FIRST],
        "version": 3,
    }
    assert marker["token"] != FIRST

    saved.until(lambda: restored(saved))
    assert contents(saved) == {"a": "1", "b": "2"}
    assert len(hashes(saved)) == 1
    assert saved.get(FORMATION) == {**marker, "formed": True, "version": 4}
    for number, node in saved.nodes.items():
        node.enter()
        assert cluster_token.token() == marker["token"]
        assert set_aside(node) == []
        assert not inside(node, f"{CACHE}/restore").exists()
        assert not inside(node, f"{ETCD_MOUNT}/restoring").exists()
        assert not inside(node, CLUSTER_ENV).exists()
        assert node.reconcile() == "etcd is running", number

    # Again, and the parameter was made again with a value that it once had.
    for node in saved.nodes.values():
        node.machine.lose_disk()
    saved.aws.delete_parameter(Name=FORMATION)
    saved.put(
        FORMATION, {"formed": True, "token": FIRST, "members": saved.get(MEMBERS), "version": 2}
    )
    assert "its history none that counts" in saved.nodes[0].reconcile()
    saved.nodes[0].restore("latest")
    saved.until(lambda: restored(saved))
    assert contents(saved) == {"a": "1", "b": "2"}


def test_clients_are_promised_nothing_twice(saved):
    lose_quorum(saved)
    saved.nodes[0].restore(saved.key)
    # They are served while the marker is not set.
    for number in (0, 1):
        assert saved.nodes[number].reconcile().startswith(f"restored {saved.key} (revision ")
    wait_until(saved.nodes[0].healthy, "clients are served")
    assert not formed(saved)
    saved.until(lambda: restored(saved))

    # A watch from before the restore is told to list again, instead of missing what came since.
    header = saved.nodes[0].etcdctl("get", "a")["header"]
    assert header["revision"] >= saved.revision + restore_local.BUMP
    known = f"--rev={saved.revision + 1}"
    for command in (("get", known, "a"), ("watch", known, "a")):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            saved.nodes[0].etcdctl(*command)
        assert "required revision has been compacted" in refused.value.stderr
    put(saved, "d", "4")

    # A founder that loses its disk must not found again from the snapshot: the others count on what
    # it has acknowledged.
    saved.nodes[1].machine.lose_disk()
    said = saved.until(lambda: restored(saved))
    assert not [text for number, text in said if number == 1 and text.startswith("restored")]
    assert contents(saved) == {"a": "1", "b": "2", "d": "4"}


def test_after_the_loss_of_the_quorum_old_data_is_set_aside_and_kept(saved):
    lose_quorum(saved, 0)
    saved.nodes[0].restore("latest", discard=True)
    # The one that is left runs on; the others come back with their disks, as a boot starts them.
    for number in (1, 2):
        saved.nodes[number].machine.start("etcd.service")
    wait_until(lambda: saved.voters(range(SIZE)), "the old cluster is back")
    old = clusters(saved)
    saved.until(lambda: restored(saved))
    assert contents(saved) == {"a": "1", "b": "2"}
    assert not clusters(saved) & old
    for node in saved.nodes.values():
        assert set_aside(node) == [f"data.{FIRST}"]
        assert any(inside(node, f"{ETCD_MOUNT}/data.{FIRST}/member/wal").glob("*.wal"))


def clusters(tier):
    """Cluster ids of all that run."""
    return {
        node.etcdctl("endpoint", "status")[0]["Status"]["header"]["cluster_id"]
        for node in tier.nodes.values()
        if node.machine.active("etcd.service")
    }


def test_an_order_that_must_not_be_changes_nothing(saved, s3, monkeypatch):
    marker = saved.get(FORMATION)
    a_cluster_that_works_is_not_restored_by_mistake(saved)
    a_damaged_snapshot_is_refused(saved, s3)
    cut_off_from_the_others_it_reads_their_reports(saved)
    assert saved.get(FORMATION) == marker
    for number in saved.nodes:
        saved.age(number, 600)
    who_loses_a_race_orders_nothing(saved, monkeypatch)
    assert saved.nodes[1].reconcile() == "starting etcd from its disk"
    saved.nodes[1].machine.power_off()
    the_same_order_twice_is_one(saved)
    while_s3_is_away_certificates_are_refreshed_all_the_same(saved, monkeypatch)


def a_cluster_that_works_is_not_restored_by_mistake(saved):
    with pytest.raises(
        NodeError, match=r"the cluster works: etcd-0 has a leader\. A restore would"
    ):
        saved.nodes[1].restore("latest")


def a_damaged_snapshot_is_refused(saved, s3):
    body = s3.get_object(Bucket=BUCKET, Key=saved.key)["Body"].read()
    damaged = body[:-40] + bytes([body[-40] ^ 1]) + body[-39:]
    s3.put_object(Bucket=BUCKET, Key=saved.key, Body=damaged)
    with pytest.raises(NodeError, match=r"\.db is damaged: its SHA-256.*choose another snapshot"):
        saved.nodes[0].restore("latest", discard=True)
    assert not inside(saved.nodes[0], f"{CACHE}/check").exists()
    s3.put_object(Bucket=BUCKET, Key=saved.key, Body=body)


def cut_off_from_the_others_it_reads_their_reports(saved):
    for node in saved.nodes.values():
        node.report()
    lose_quorum(saved)
    with pytest.raises(NodeError, match=r"etcd-\d reported within 180 s that it leads"):
        saved.nodes[1].restore("latest")


def who_loses_a_race_orders_nothing(saved, monkeypatch):
    """Two people restore at the same time: Parameter Store has no condition on a write."""
    marker = saved.get(FORMATION)
    ask = restore_request._marker

    def slow(*arguments):
        found = ask(*arguments)
        saved.put(FORMATION, {**marker, "version": marker["version"] + 1})
        return found

    with monkeypatch.context() as patched:
        patched.setattr(restore_request, "_marker", slow)
        with pytest.raises(NodeError, match="was written meanwhile, so no restore was ordered"):
            saved.nodes[0].restore("latest")


def the_same_order_twice_is_one(saved):
    saved.nodes[0].restore(saved.key)
    marker = saved.get(FORMATION)
    assert "is being restored already" in saved.nodes[1].restore("latest")
    assert saved.get(FORMATION) == marker


def while_s3_is_away_certificates_are_refreshed_all_the_same(saved, monkeypatch):
    node = saved.nodes[1]
    node.enter()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")
    monkeypatch.setattr("node.aws.ATTEMPTS", 1)
    refreshed = []
    monkeypatch.setattr(
        "node.refresh.run", lambda *_: refreshed.append(True) or ["certificates are fresh"]
    )
    with pytest.raises(NodeError, match=r"AWS: Could not connect.*; certificates are fresh"):
        reconcile.run(node.settings, node.machine)
    assert refreshed


def test_a_cluster_that_works_is_restored_when_its_newer_writes_may_go(saved):
    made = {"formed": False, "token": FIRST, "members": saved.get(MEMBERS), "version": 1}
    saved.nodes[2].restore(saved.key, discard=True)
    saved.until(lambda: restored(saved))
    assert contents(saved) == {"a": "1", "b": "2"}
    assert [set_aside(n) for n in saved.nodes.values()] == [[f"data.{FIRST}"]] * SIZE
    an_older_marker_undoes_no_restore(saved, made)

    # Restored twice, only the last old data is kept.
    second = saved.get(FORMATION)["token"]
    put(saved, "d", "4")
    saved.nodes[0].restore(saved.key, discard=True)
    saved.until(lambda: restored(saved))
    assert contents(saved) == {"a": "1", "b": "2"}
    assert [set_aside(n) for n in saved.nodes.values()] == [[f"data.{second}"]] * SIZE


def an_older_marker_undoes_no_restore(saved, made):
    """`pulumi up` writes back what it made, or makes it again after somebody deleted it."""
    marker = saved.get(FORMATION)
    members = saved.ids()
    saved.put(FORMATION, made)
    saved.round()
    saved.until(lambda: formed(saved))
    assert saved.get(FORMATION) == {**marker, "version": marker["version"] + 2}

    saved.aws.delete_parameter(Name=FORMATION)
    saved.put(FORMATION, made)
    saved.until(lambda: formed(saved))
    now = saved.get(FORMATION)
    assert (now["token"], now["superseded"]) == (marker["token"], [FIRST])
    assert saved.ids() == members, "nobody was set aside"
    assert contents(saved) == {"a": "1", "b": "2"}
    for node in saved.nodes.values():
        node.enter()
        assert cluster_token.token() == marker["token"]


@pytest.mark.parametrize(
    ("snapshot", "complaint"),
    [
        ("snapshots/etcd-0/none.db", r"there is no snapshots/etcd-0/none\.db in test-bucket"),
        ("program/x.db", r"program/x\.db is no key of a snapshot"),
    ],
)
def test_a_mistaken_order_changes_nothing(s3, etcd_tier, node, snapshot, complaint):
    etcd_tier.found(SIZE)
    before = etcd_tier.get(FORMATION)
    with pytest.raises(NodeError, match=complaint):
        restore_request.run(node(), node().etcd, snapshot=snapshot, discard_newer_writes=True)
    assert etcd_tier.get(FORMATION) == before


def test_without_a_snapshot_there_is_no_latest(s3, etcd_tier, node):
    etcd_tier.found(SIZE)
    with pytest.raises(NodeError, match="test-bucket holds no snapshot under snapshots/"):
        restore_request.run(node(), node().etcd, snapshot="latest")


def test_without_a_snapshot_or_room_for_it_nothing_is_given_up_in_vain(saved, s3, monkeypatch):
    saved.nodes[0].restore(saved.key, discard=True)
    body = s3.get_object(Bucket=BUCKET, Key=saved.key)["Body"].read()
    s3.delete_object(Bucket=BUCKET, Key=saved.key)
    with pytest.raises(NodeError, match="there is no snapshots/"):
        saved.nodes[0].reconcile()
    assert saved.nodes[0].machine.active("etcd.service")
    assert set_aside(saved.nodes[0]) == []
    s3.put_object(Bucket=BUCKET, Key=saved.key, Body=body)

    usage = shutil._ntuple_diskusage
    free = {"bytes": 300 * snapshots.MIB}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(0, 0, free["bytes"]))
    with pytest.raises(NodeError, match=r"has 300 MiB free and 512 MiB are needed: make room"):
        saved.nodes[0].reconcile()
    assert set_aside(saved.nodes[0]) == [], "made room as far as it could"
    assert not any(inside(saved.nodes[0], ETCD_DATA).iterdir())
    free["bytes"] = 1 << 40
    saved.until(lambda: restored(saved))
    assert contents(saved) == {"a": "1", "b": "2"}


class Killed(BaseException):
    """The power fails."""


STOPS = {
    "download": (snapshots.Bucket, "download"),
    "fetch": (snapshots, "fetch"),
    "stop": (EtcdMachine, "stop"),
    "forget": (restore_local, "_forget"),
    "move": (restore_local, "_move_away"),
    "restore": (restore_local, "_restore"),
    "own": (restore_local.files, "own"),
    "token": (restore_local.cluster_token, "record"),
    "clean": (restore_local.shutil, "rmtree"),
    "start": (EtcdMachine, "start"),
}
"""What a restore does, in this order."""


def kill_after(patch, owner, name):
    """Have the program end after it has done this."""
    real = getattr(owner, name)

    def killed(*arguments, **options):
        real(*arguments, **options)
        raise Killed

    patch.setattr(owner, name, killed)


def test_stopped_after_every_action_it_ends_the_same(saved, monkeypatch):
    """One life with many deaths: each run goes on from what the one before has left."""
    lose_quorum(saved)
    saved.nodes[0].restore(saved.key)
    for owner, name in STOPS.values():
        for node in saved.nodes.values():
            with monkeypatch.context() as patch:
                kill_after(patch, owner, name)
                with pytest.raises(Killed):
                    node.reconcile()
            node.machine.power_off()
    with monkeypatch.context() as patch:
        kill_after(patch, act, "mark_formed")
        with pytest.raises(Killed):
            saved.until(lambda: False)
    for node in saved.nodes.values():
        node.machine.power_off()
    saved.until(lambda: restored(saved))
    assert contents(saved) == {"a": "1", "b": "2"}
    assert len(hashes(saved)) == 1
    token = saved.get(FORMATION)["token"]
    for node in saved.nodes.values():
        node.enter()
        assert cluster_token.token() == token
        assert set_aside(node) == [f"data.{FIRST}"]


def test_a_member_that_was_dead_meanwhile_comes_back_with_its_old_disk_and_joins(saved):
    lose_quorum(saved)
    saved.nodes[0].restore(saved.key)
    saved.until(lambda: formed(saved), 0, 1)
    put(saved, "d", "4")
    old = {m["ID"] for m in saved.nodes[0].etcdctl("member", "list")["members"]}

    # As a boot starts it, before anybody has told it: of another cluster, it is nobody's peer.
    late = saved.nodes[2]
    late.machine.start("etcd.service")
    said = [text for number, text in saved.until(lambda: restored(saved)) if number == 2]
    assert said[0] == f"set data of another cluster token aside as data.{FIRST}"
    assert contents(saved) == {"a": "1", "b": "2", "d": "4"}
    assert len(hashes(saved)) == 1
    members = saved.nodes[0].etcdctl("member", "list")["members"]
    (mine,) = [m["ID"] for m in members if m["name"] == "etcd-2"]
    assert mine not in old, "the id that was kept for it is not used"
    assert set_aside(late) == [f"data.{FIRST}"]


def test_after_a_restore_of_an_older_snapshot_the_abandoned_ones_are_not_the_newest(saved, s3):
    """The second restore begins from before the first one; its revisions are above both."""
    lose_quorum(saved)
    saved.nodes[0].restore(saved.key)
    saved.until(lambda: restored(saved))
    put(saved, "d", "4")
    saved.nodes[saved.leader()].snapshot()
    abandoned = newest(saved)
    assert abandoned.revision > saved.revision + restore_local.BUMP

    saved.nodes[1].restore(saved.key, discard=True)
    token = saved.get(FORMATION)["token"]
    assert saved.get(FORMATION)["bumpRevision"] == (
        abandoned.revision - saved.revision + restore_local.BUMP
    )
    assert newest(saved) == abandoned
    saved.until(lambda: restored(saved))
    assert saved.get(FORMATION)["token"] == token
    assert contents(saved) == {"a": "1", "b": "2"}
    header = saved.nodes[0].etcdctl("get", "a")["header"]
    assert header["revision"] >= abandoned.revision + restore_local.BUMP

    saved.nodes[saved.leader()].snapshot()
    assert newest(saved).revision >= abandoned.revision + restore_local.BUMP
    assert len(s3.list_objects_v2(Bucket=BUCKET)["Contents"]) == 3


def newest(tier):
    settings = tier.nodes[0].settings
    found = Bucket(settings, settings.etcd).newest()
    return dataclasses.replace(found, age=0)


def test_old_data_of_a_tier_that_was_not_told_is_never_touched(saved):
    """A disk that does not say what it belongs to is not set aside on a guess."""
    node = saved.nodes[1]
    inside(node, TOKEN).unlink()
    assert node.reconcile() == "etcd is running"
    saved.nodes[0].restore(saved.key, discard=True)
    assert "the disk does not say whether its data is of before or after" in node.reconcile()
    assert set_aside(node) == []
    assert node.machine.active("etcd.service")
    inside(node, TOKEN).write_text("old")
    saved.until(lambda: restored(saved))
    assert set_aside(node) == ["data.old"]


def test_restored_into_another_size(saved):
    """The desired members of now are the founders; a machine that never was a member is one too."""
    lose_quorum(saved)
    saved.terminate(2)
    saved.desire(0, 1, 3)
    saved.boot(3)
    saved.nodes[3].restore("latest")
    saved.until(lambda: restored(saved, 0, 1, 3))
    assert contents(saved) == {"a": "1", "b": "2"}
