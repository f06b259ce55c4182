"""Proof 2: `pulumi config set --path etcd.size 5`, `pulumi up`, and back, with gates bound."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from lab.proofs.configmap_writer import Writer
from lab.proofs.etcdctl import cluster_id
from lab.proofs.figures import Figures
from lab.proofs.kubernetes_api import api, namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.proofs.removal_watch import RemovalWatch
from lab.running.node_names import Node
from lab.workspace import Workspace

NAMESPACE = "proof-resize"
SMALL, LARGE = 3, 5


@dataclass(frozen=True)
class Resized:
    """What a size change did."""

    before: dict[str, Node]
    after: dict[str, Node]
    cluster: tuple[int, int]
    """The etcd cluster's id before and after."""
    printed: str
    """By `pulumi up`."""
    watch: RemovalWatch
    writer: Writer
    kept: int
    """The number that the cluster had afterwards."""


@pytest.fixture(scope="module")
def protected(session: LabSession, workspace: Workspace) -> Iterator[None]:
    """The stack with its gates; afterwards as it was."""
    size = len(session.nodes("etcd"))
    if size != SMALL:
        pytest.skip(f"the stack has {size} etcd members; the proof resizes {SMALL} to {LARGE}")
    settings = workspace.stack_file.read_text(encoding="utf-8")
    session.configure("protect", "true")
    try:
        with namespace(session.kubectl, NAMESPACE):
            yield
    finally:
        workspace.stack_file.write_text(settings, encoding="utf-8")
        session.up()


@pytest.fixture(scope="module")
def grown(session: LabSession, figures: Figures, protected: None) -> Resized:
    """From three members to five."""
    return _resize(session, figures, LARGE)


@pytest.fixture(scope="module")
def shrunk(session: LabSession, figures: Figures, grown: Resized) -> Resized:
    """And back."""
    assert len(grown.after) > len(grown.before)
    return _resize(session, figures, SMALL)


def _resize(session: LabSession, figures: Figures, size: int) -> Resized:
    before, first = dict(session.lab.nodes()), session.nodes("etcd")[0]
    cluster = cluster_id(session, first)
    began = time.monotonic()
    with (
        Writer(api(session.kubectl), NAMESPACE, f"to-{size}") as writer,
        RemovalWatch(session, first) as watch,
    ):
        session.configure("etcd.size", str(size))
        printed = session.up()
        figures.add("resize", f"pulumi up to {size} members", time.monotonic() - began)
        until("the cluster is ready", lambda: _voters(session) == size)
        figures.add("resize", f"{size} voters after", time.monotonic() - began)
        until("HAProxy everywhere has the members", lambda: _followed(session))
    figures.add("resize", f"longest write stall on the way to {size}", writer.stall)
    figures.add("resize", f"writes failed on the way to {size}", writer.failed, "")
    after = (cluster, cluster_id(session, first))
    now = dict(session.lab.nodes())
    return Resized(before, now, after, printed, watch, writer, writer.kept())


def _voters(session: LabSession) -> int:
    snapshots = session.ready()
    if snapshots is None:
        return 0
    members = [snapshot.etcd.members for snapshot in snapshots if snapshot.etcd]
    sizes = {len(one) for one in members if one and set(one.values()) == {"voter"}}
    return sizes.pop() if len(sizes) == 1 and len(members) == len([m for m in members if m]) else 0


def _followed(session: LabSession) -> bool:
    """Whether every API server's HAProxy, as it runs, has exactly the members as servers."""
    members = {str(node.instance.address) for node in session.nodes("etcd")}
    return all(_servers(session, node) == members for node in session.nodes("api"))


_SHOW = """\
import socket
with socket.socket(socket.AF_UNIX) as s:
    s.connect("/run/etcd-proxy/admin.sock")
    s.sendall(b"show servers state etcd\\n")
    print(b"".join(iter(lambda: s.recv(65536), b"")).decode())
"""


def _servers(session: LabSession, node: Node) -> set[str]:
    rows = [line.split() for line in session.within(node, "python3", "-c", _SHOW).splitlines()]
    return {row[4] for row in rows if len(row) > 5 and row[0].isdecimal()}


def _instances(nodes: dict[str, Node]) -> dict[str, str]:
    return {name: node.instance.id for name, node in nodes.items()}


def test_growing_adds_two_voters_and_touches_no_machine(grown: Resized) -> None:
    before, after = _instances(grown.before), _instances(grown.after)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"etcd-3", "etcd-4"}
    assert grown.cluster[0] == grown.cluster[1]


def test_no_acknowledged_write_is_lost_while_growing(grown: Resized) -> None:
    assert grown.writer.acknowledged > 0
    assert grown.kept >= grown.writer.acknowledged


def test_shrinking_lets_members_leave_before_their_machines_go(
    session: LabSession, shrunk: Resized
) -> None:
    # Members leave when the parameter says so, and that is later than Pulumi's wish to delete.
    assert re.search(r"gate: \S+etcd-[34] waits", shrunk.printed)
    assert shrunk.watch.observations > 0
    assert shrunk.watch.early == set()
    after = _instances(shrunk.after)
    assert set(shrunk.before) - set(after) == {"etcd-3", "etcd-4"}
    assert {name: _instances(shrunk.before)[name] for name in after} == after
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
