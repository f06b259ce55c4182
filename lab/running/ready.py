"""Readiness of a cluster: every member a voter, every API server ready and known to the load
balancer as healthy, somebody leading, every worker joined."""

import time
from collections.abc import Callable, Iterable

from lab.lab_errors import LabError
from lab.running.lab import RunningLab
from lab.running.node_names import tier
from lab.running.node_snapshot import LEADERS, NodeSnapshot, inspect
from lab.running.workers_table import joined, not_joined

PATIENCE = 600.0
"""Seconds in which a cluster gets ready on a busy machine; on an idle one it takes less than 60."""
PAUSE = 1.0


def missing(snapshots: Iterable[NodeSnapshot]) -> list[str]:
    """What keeps the cluster from being ready, a phrase each; empty when it is. Pure."""
    seen = list(snapshots)
    etcd = [one for one in seen if tier(one.node.name) == "etcd"]
    api = [one for one in seen if tier(one.node.name) == "api"]
    workers = [one for one in seen if tier(one.node.name) == "worker"]
    found = [phrase for one in [*etcd, *api] for phrase in [_lacks(one)] if phrase]
    found += [f"{one.node.name} {not_joined(one)}" for one in workers if not joined(one)]
    if not etcd or not api:
        found.append("the stack has no machines")
    leaders = [one.node.name for one in etcd if one.etcd and one.etcd.leader]
    if len(leaders) != 1:
        found.append(f"{' and '.join(leaders) or 'no member'} leads etcd")
    led = {lease for one in api for lease in one.holds}
    found += [f"nobody leads {lease}" for lease in LEADERS if api and lease not in led]
    return found


def await_ready(lab: RunningLab, say: Callable[[str], None]) -> list[NodeSnapshot]:
    """Wait until it is ready, telling what is missing whenever that changes; the last look.

    Raises LabError when it does not get ready.
    """
    deadline = time.monotonic() + PATIENCE
    said: list[str] = []
    while True:
        snapshots = inspect(lab)
        lacks = missing(snapshots)
        if not lacks:
            return snapshots
        if lacks != said:
            say(f"waiting: {', '.join(lacks)}")
            said = lacks
        if time.monotonic() > deadline:
            raise LabError(
                f"The cluster did not get ready in {PATIENCE:.0f} s: {', '.join(lacks)}. "
                "`python -m lab logs NAME` shows what a machine says."
            )
        time.sleep(PAUSE)


def _lacks(one: NodeSnapshot) -> str | None:
    name = one.node.name
    if not one.runs:
        return f"{name} is off"
    if tier(name) == "etcd":
        if one.etcd is None:
            return f"{name} does not answer"
        if one.etcd.role != "voter":
            return f"{name} is a {one.etcd.role}"
        return None
    if one.api is None or not one.api.ready:
        return f"{name} is not ready"
    return None if one.target == "healthy" else f"{name} is {one.target} at the load balancer"
