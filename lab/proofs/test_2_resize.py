"""Proof 2: `pulumi config set --path etcd.size 5`, `pulumi up`, and back, with gates bound."""

import re
from collections.abc import Iterator

import pytest

from lab.proofs.etcd_resizing import LARGE, SMALL, Resized, Resizing
from lab.proofs.lab_session import LabSession
from lab.running.node_names import Node, tier


@pytest.fixture(scope="module")
def resizing_done(session: LabSession, resizing_begun: Resizing | None) -> Iterator[Resizing]:
    """What was begun; the stack is as it was when the last test has ended."""
    if resizing_begun is None:
        size = len(session.nodes("etcd"))
        pytest.skip(f"the stack has {size} etcd members; the proof resizes {SMALL} to {LARGE}")
    yield resizing_begun
    resizing_begun.restored.result()


@pytest.fixture(scope="module")
def grown(resizing_done: Resizing) -> Resized:
    """From three members to five."""
    return resizing_done.grown.result()


@pytest.fixture(scope="module")
def shrunk(resizing_done: Resizing) -> Resized:
    """And back."""
    return resizing_done.shrunk.result()


def _instances(nodes: dict[str, Node], *, workers: bool) -> dict[str, str]:
    """Workers come and go for proofs that go on meanwhile, where not every failure is proved."""
    return {
        name: node.instance.id for name, node in nodes.items() if workers or tier(name) != "worker"
    }


def _workers_changed(printed: str) -> bool:
    """Whether an update changed what workers are made of."""
    return bool(re.search("launchtemplate|autoscaling", printed, re.IGNORECASE))


def test_growing_adds_two_voters_and_touches_no_machine(
    grown: Resized, *, every_failure: bool
) -> None:
    before = _instances(grown.before, workers=every_failure)
    after = _instances(grown.after, workers=every_failure)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"etcd-3", "etcd-4"}
    assert not _workers_changed(grown.printed)
    assert grown.cluster[0] == grown.cluster[1]


def test_no_acknowledged_write_is_lost_while_growing(grown: Resized) -> None:
    assert grown.writer.acknowledged > 0
    assert grown.kept >= grown.writer.acknowledged


def test_shrinking_lets_members_leave_before_their_machines_go(
    session: LabSession, shrunk: Resized, *, every_failure: bool
) -> None:
    # Members leave when the parameter says so, and that is later than Pulumi's wish to delete.
    assert re.search(r"gate: \S+etcd-[34] waits", shrunk.printed)
    assert shrunk.watch.observations > 0
    assert shrunk.watch.early == set()
    before = _instances(shrunk.before, workers=every_failure)
    after = _instances(shrunk.after, workers=every_failure)
    assert set(before) - set(after) == {"etcd-3", "etcd-4"}
    assert {name: before[name] for name in after} == after
    assert not _workers_changed(shrunk.printed)
    names = {node.name for node in session.nodes("etcd")}
    members = [snapshot.etcd.members for snapshot in session.snapshots() if snapshot.etcd]
    assert members == [dict.fromkeys(names, "voter")] * SMALL
    assert shrunk.cluster[0] == shrunk.cluster[1]


def test_no_acknowledged_write_is_lost_while_shrinking(shrunk: Resized) -> None:
    assert shrunk.writer.acknowledged > 0
    assert shrunk.kept >= shrunk.writer.acknowledged


def test_the_disks_of_members_that_left_are_gone(session: LabSession, shrunk: Resized) -> None:
    volumes = session.lab.aws("ec2").describe_volumes()["Volumes"]
    attached = {v["VolumeId"] for v in volumes if v["State"] == "in-use"}
    assert {v["VolumeId"] for v in volumes} == attached
    images = {path.stem for path in session.lab.layout.volumes.glob("*.img")}
    assert images == {v for node in shrunk.after.values() for v in node.instance.volumes}
