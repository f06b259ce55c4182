"""The decision of an etcd node: what it sees in, the one next step out. Pure.

`new` lets a member with an empty disk form a cluster. An etcd that lost its disk would form a
second one beside the first when it cannot reach its peers (etcdserver/cluster_util.go,
isMemberBootstrapped), so the marker, which is outside the disk, must say that none was formed.
"""

from dataclasses import dataclass
from typing import Literal

from node.membership import Formation

Disk = Literal["absent", "empty", "initialised"]
"""The data volume: not mounted, without a write-ahead log, or with one."""


@dataclass(frozen=True)
class State:
    """What a node sees."""

    name: str
    disk: Disk
    formation: Formation | None
    """The marker; None when AWS did not answer."""
    running: bool
    """Whether etcd runs or is starting."""
    started: frozenset[str] | None
    """Members that ever started, by a linearizable read; None without a leader or an answer."""
    trouble: str = ""
    """Why the marker is unknown, for people."""


@dataclass(frozen=True)
class Form:
    """Start etcd as a founding member of a new cluster."""

    formation: Formation


@dataclass(frozen=True)
class Start:
    """Start etcd from its disk."""


@dataclass(frozen=True)
class MarkFormed:
    """Set the marker: from now on no disk is ever used for a new cluster."""


@dataclass(frozen=True)
class Wait:
    """Nothing to do now."""

    reason: str


Step = Form | Start | MarkFormed | Wait


def decide(state: State) -> Step:
    """The one next step."""
    if state.disk == "absent":
        return Wait("the data volume is not mounted (see node-prepare.service)")
    if state.disk == "empty":
        return _without_data(state)
    if not state.running:
        return Start()
    return _running(state)


def _without_data(state: State) -> Step:
    marker = state.formation
    if marker is None:
        return Wait(
            f"the disk is empty and nobody says whether to form or to join: {state.trouble}"
        )
    if marker.formed:
        return Wait("the disk is empty and the cluster is formed: this member must join it")
    if state.name not in {member.name for member in marker.members}:
        return Wait("the founding members have not formed the cluster yet")
    return Form(marker)


def _running(state: State) -> Step:
    marker = state.formation
    if marker is None:
        return Wait(f"etcd is running; {state.trouble}")
    if marker.formed:
        return Wait("etcd is running")
    if state.started is None:
        return Wait("etcd is running and waits for a leader")
    if missing := sorted({member.name for member in marker.members} - state.started):
        return Wait(f"etcd is running and waits for {', '.join(missing)} to start")
    return MarkFormed()
