"""The decision of an etcd node: what it sees in, the one next step out. Pure.

`new` lets a member with an empty disk form a cluster. An etcd that lost its disk would form a
second one beside the first when it cannot reach its peers (etcdserver/cluster_util.go,
isMemberBootstrapped), so the marker, which is outside the disk, must say that none was formed.
Once it says the contrary, an empty disk joins as a new member, under an id that it never had: the
others believe what a member of the old id has acknowledged, and that went with the disk.
"""

from dataclasses import dataclass
from typing import Literal

from node.etcd.entries import Entry, at
from node.membership import Formation, Member
from node.settings import TOKEN

Disk = Literal["absent", "empty", "initialised"]
"""The data volume: not mounted, without a write-ahead log, or with one."""


@dataclass(frozen=True, kw_only=True)
class State:
    """What a node sees."""

    name: str
    address: str
    disk: Disk
    formation: Formation | None
    """The marker; None when AWS did not answer."""
    desired: tuple[Member, ...] | None
    """The desired members; None when AWS did not answer."""
    running: bool = False
    """Whether etcd runs or is starting."""
    removed: bool = False
    """Whether etcd ended by itself, and well: what it does when its peers say it was removed."""
    entries: tuple[Entry, ...] | None = None
    """The membership by a linearizable read of the local etcd; None without a leader."""
    peers: tuple[Entry, ...] | None = None
    """The membership as a peer tells it; None when none answered, or none had to be asked."""
    used: str | None = None
    """The id that this node's etcd last had, or was to have; from Parameter Store."""
    starting: bool = False
    """Whether this node has decided to join since it booted, and its disk is empty yet."""
    trouble: str = ""
    """Why AWS did not answer, for people."""
    token: str | None = None
    """Which incarnation the disk says that its data belongs to; None when it does not say."""

    @property
    def wanted(self) -> bool | None:
        """Whether this node is to be a member; None when AWS did not answer."""
        if self.desired is None:
            return None
        return any(member.address == self.address for member in self.desired)


@dataclass(frozen=True)
class Form:
    """Start etcd as a founding member of a new cluster."""

    formation: Formation


@dataclass(frozen=True)
class Restore:
    """Set aside what is on the disk, and start etcd from the marker's snapshot as a founder."""

    formation: Formation


@dataclass(frozen=True)
class SetAside:
    """Take the data of another incarnation out of etcd's way; then this node has to join."""


@dataclass(frozen=True)
class Ask:
    """Ask the leader's node, in the status, to be added as a learner."""

    lost: str | None
    """The id that this node had, or may have had, and that no disk holds any more."""


@dataclass(frozen=True)
class Join:
    """Start etcd with an empty disk as a member that was added for it."""

    entry: Entry
    members: tuple[Entry, ...]
    """All of them: etcd compares them with what its peers have."""
    formation: Formation


@dataclass(frozen=True)
class Start:
    """Start etcd from its disk."""


@dataclass(frozen=True)
class Discard:
    """Remove the data of a member that was removed, so that the node can join anew."""


@dataclass(frozen=True)
class Leave:
    """Report that this node is no member and will be none."""

    used: str | None
    """The id that it had: should it be wanted again, it must not start under that one."""


@dataclass(frozen=True)
class MarkFormed:
    """Set the marker: from now on no disk is ever used for a new cluster."""

    formation: Formation


@dataclass(frozen=True)
class Wait:
    """Nothing to do now."""

    reason: str
    changing: bool = False
    """Whether the wait is part of a change: then it is worth looking again soon."""


Step = Form | Restore | SetAside | Ask | Join | Start | Discard | Leave | MarkFormed | Wait


def decide(state: State) -> Step:
    """The one next step."""
    if state.disk == "absent":
        return Wait("the data volume is not mounted (see node-prepare.service)")
    if state.disk == "empty":
        return _without_data(state)
    if (marker := state.formation) and (other := _of_another(state, marker)):
        return other
    if state.running:
        return _running(state)
    return _removed(state) if state.removed else Start()


def _of_another(state: State, marker: Formation) -> Step | None:
    """What to do about data that is not, or may not be, of the marker's incarnation."""
    restoring = marker.snapshot is not None and not marker.formed
    if not marker.owns(state.token):
        return Restore(marker) if restoring and state.name in _names(marker) else SetAside()
    if restoring and state.token is None:
        # Every restored disk has a token; without one nobody knows what this is.
        return Wait(
            "a snapshot is being restored, and the disk does not say whether its data is of before "
            f"or after: write {marker.token!r} into {TOKEN} to keep it, 'old' to have it set aside"
        )
    return None


def _without_data(state: State) -> Step:
    marker = state.formation
    if marker is None:
        return Wait(
            f"the disk is empty and nobody says whether to form or to join: {state.trouble}"
        )
    if marker.formed:
        return _outside(state, marker) if state.peers is not None else Wait(_NO_PEER)
    if state.name not in _names(marker):
        return Wait("the founding members have not formed the cluster yet", changing=True)
    return Restore(marker) if marker.snapshot else Form(marker)


_NO_PEER = (
    "the disk is empty and no member answers: this one never forms a second cluster; if all disks "
    "are lost, restore a snapshot (ha-node restore)"
)


def _outside(state: State, marker: Formation) -> Step:
    """Not a member, and the others are there."""
    peers = state.peers or ()
    entry = at(state.address, peers)
    match state.wanted:
        case None:
            return Wait(f"the disk is empty and the desired members are unknown: {state.trouble}")
        case False:
            leaving = Wait("waiting to be removed", changing=True)
            return Leave(state.used) if entry is None else leaving
    if entry is None:
        return Ask(state.used)
    spent = entry.id == state.used and not state.starting
    if entry.voter or entry.started or spent:
        return Ask(entry.id)
    return Join(entry, peers, marker)


def _removed(state: State) -> Step:
    """etcd ended because a peer told it that it was removed."""
    if state.peers is None or state.wanted is None:
        return Wait(f"etcd was removed from the cluster; waiting for its peers{_why(state)}")
    entry = at(state.address, state.peers)
    if entry is not None and entry.started:
        return Wait("etcd was removed from the cluster, which not every peer knows", changing=True)
    return Discard() if state.wanted else Leave(state.used)


def _running(state: State) -> Step:
    marker = state.formation
    if marker is None:
        return Wait(f"etcd is running{_why(state)}")
    if marker.formed:
        # Its removal is the leader's to make; then etcd ends, and the gate is waiting for it.
        return Wait("etcd is running", changing=state.wanted is False)
    if state.entries is None:
        return Wait("etcd is running and waits for a leader", changing=True)
    founders = {member.address for member in marker.members}
    missing = sorted(e.name for e in state.entries if e.address in founders and not e.started)
    # A restored cluster that has a leader is a cluster: a founder that comes later joins it, for
    # it may have been in it already and have lost its disk. One that was never restored needs the
    # others as founders.
    if missing and not marker.snapshot:
        return Wait(f"etcd is running and waits for {', '.join(missing)} to start", changing=True)
    return MarkFormed(marker)


def _names(marker: Formation) -> set[str]:
    return {member.name for member in marker.members}


def _why(state: State) -> str:
    return f"; {state.trouble}" if state.trouble else ""
