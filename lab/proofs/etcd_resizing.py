"""Resizing of the etcd tier, in a thread of its own: it mostly waits, and workers do not mind."""

import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from lab.proofs.configmap_writer import Writer
from lab.proofs.etcdctl import cluster_id
from lab.proofs.figures import Figures
from lab.proofs.kubernetes_api import api, namespace
from lab.proofs.lab_session import LabSession
from lab.proofs.polling import until
from lab.proofs.removal_watch import RemovalWatch
from lab.running.node_names import Node
from lab.workspace import Workspace

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


@dataclass(frozen=True)
class Resizing:
    """What becomes of it; each result raises what went wrong."""

    grown: Future[Resized]
    """From three members to five."""
    shrunk: Future[Resized]
    """And back."""
    restored: Future[str]
    """The stack is without its gates again, as it was."""


@contextmanager
def resizing(session: LabSession, workspace: Workspace, figures: Figures) -> Iterator[Resizing]:
    """The stack with its gates and other sizes for a while; waits for the end, or, when something
    else is at an end, for what is under way."""

    def grow() -> Resized:
        session.configure("protect", "true")
        return _resized(session, figures, LARGE)

    def shrink() -> Resized:
        large = grown.result()
        assert len(large.after) > len(large.before)
        return _resized(session, figures, SMALL)

    def restore() -> str:
        workspace.stack_file.write_text(settings, encoding="utf-8")
        return session.up()

    settings = workspace.stack_file.read_text(encoding="utf-8")
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="resizing") as thread:
        grown = thread.submit(grow)
        shrunk = thread.submit(shrink)
        try:
            yield Resizing(grown, shrunk, thread.submit(restore))
        finally:
            shrunk.cancel()


def _resized(session: LabSession, figures: Figures, size: int) -> Resized:
    with namespace(session.kubectl, f"proof-resize-to-{size}") as space:
        return _resize(session, figures, size, space)


def _resize(session: LabSession, figures: Figures, size: int, space: str) -> Resized:
    before, first = dict(session.lab.nodes()), session.nodes("etcd")[0]
    cluster = cluster_id(session, first)
    began = time.monotonic()
    with (
        Writer(api(session.kubectl), space, "count") as writer,
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
