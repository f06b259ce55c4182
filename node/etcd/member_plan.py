"""Plan of an etcd node: what it sees in, the one next step out. Pure.

`new` lets a member with an empty disk form a cluster. An etcd that lost its disk would form a
second one alongside the first when it cannot reach its peers (etcdserver/cluster_util.go,
isMemberBootstrapped), so the marker, which is outside the disk, must say that none was formed.
Once it says the contrary, an empty disk joins as a new member, under an id that it never had: the
others believe what a member of the old id has acknowledged, and that went with the disk.

The marker is a parameter, and what was deleted and made again, or put back by hand, says "never" of
a cluster that is there. So it is not believed against what can be seen: an empty disk forms none
when this node, or another one, was a member before; data is set aside only for a cluster token
that says that it took the place of this one; and a member that has a leader sets the marker right.
"""

from dataclasses import dataclass
from typing import Literal

from node.contract import ETCD_PEER_PORT
from node.etcd.members import Entry, at, founding_id
from node.membership import GIVEN_UP, Formation, Member
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
    """The marker; None when AWS did not answer, and when its parameter holds none that counts."""
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
    """The cluster token that the disk says that its data belongs to; None when it does not say."""
    reported: tuple[str, ...] = ()
    """Other nodes that ever said to be members; read while an empty disk may found a cluster."""
    void: bool = False
    """Whether the marker is there and holds nothing that counts (node.owned)."""
    echo: bool = False
    """Whether the marker was read from the history, because an older one stands in its place."""

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
    """Take the data of another cluster token out of etcd's way; then this node has to join."""


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
    """Remove the data of a member that was removed, so that the node can join again."""


@dataclass(frozen=True)
class Leave:
    """Report that this node is no member and will be none."""

    used: str | None
    """The id that it had: should it be wanted again, it must not start under that one."""


@dataclass(frozen=True)
class MarkFormed:
    """Set the marker: from now on no disk is ever used for a new cluster.

    Where the marker is of an older token than the cluster that runs, it is set right, too.
    """

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
    """What to do about data that is not, or may not be, of the marker's token."""
    if marker.supersedes(state.token) and not marker.owns(state.token):
        restores = marker.restoring and state.name in _names(marker)
        return Restore(marker) if restores else SetAside()
    if marker.restoring and state.token != marker.token:
        # Every restored disk has a token, and every restore names those that it is instead of.
        doubt = (
            "does not say whether its data is of before or after"
            if state.token is None
            else f"holds data of {state.token}, which the restore does not name as what was before"
        )
        return Wait(
            f"a snapshot is being restored, and the disk {doubt}: write {marker.token!r} into "
            f"{TOKEN} to keep it, {GIVEN_UP!r} to have it set aside"
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
    if reason := _was_there(state, marker):
        return Wait(reason, changing=True)
    return Restore(marker) if marker.snapshot else Form(marker)


def _was_there(state: State, marker: Formation) -> str:
    """What speaks against founding with an empty disk, whatever the marker says; empty when
    nothing does.

    Founders start one after the other, so that others run, and have reported, means little: what
    matters is that this one never ran. The others know: etcd lists a founder from the beginning,
    under an id that only founders have, and whether it ever started.
    """
    mine = founding_id(f"https://{state.address}:{ETCD_PEER_PORT}", marker.token)
    entry = at(state.address, state.peers or ())
    if marker.restoring:
        # Peers and reports may be of the cluster that this one takes the place of.
        lost = state.used == mine or (entry is not None and entry.id == mine and entry.started)
        return _LOST if lost else ""
    if state.peers is not None:
        late = entry is not None and entry.id == mine and not entry.started
        return "" if late else _LOST
    if state.used is not None:
        return _LOST
    if state.reported:
        return (
            f"the marker says that no cluster was ever formed, and {', '.join(state.reported)} "
            "reported to be a member of one: waiting for it to answer"
        )
    return ""


_LOST = (
    "the marker says that the cluster is not formed yet, and this node was a member of it and has "
    "an empty disk: waiting for the others to set the marker; if all disks are lost, restore a "
    "snapshot (ha-node restore)"
)

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
    if marker is None or (not marker.formed and not marker.owns(state.token)):
        return _set_right(state, marker) or Wait(f"etcd is running{_why(state)}")
    if marker.formed:
        # Its removal is the leader's to make; then etcd ends, and the gate is waiting for it.
        return Wait("etcd is running", changing=state.wanted is False)
    if state.entries is None:
        return Wait("etcd is running and waits for a leader", changing=True)
    founders = {founding_id(member.peer_url, marker.token) for member in marker.members}
    missing = sorted(e.name for e in state.entries if e.id in founders and not e.started)
    # A restored cluster that has a leader is a cluster: a founder that comes later joins it, for
    # it may have been in it already and have lost its disk. One that was never restored needs the
    # others as founders.
    if missing and not marker.snapshot:
        return Wait(f"etcd is running and waits for {', '.join(missing)} to start", changing=True)
    return MarkFormed(marker)


def _set_right(state: State, marker: Formation | None) -> Step | None:
    """The marker of the cluster that runs, where the one that is there denies it.

    One that a restore has written is never denied: it names this token, or waits for a person
    (_of_another).
    """
    if state.token is None or not state.entries or (marker is None and not state.void):
        return None
    earlier = (*marker.superseded, marker.token) if marker else ()
    listed = tuple(Member(entry.name, entry.address) for entry in state.entries if entry.started)
    return MarkFormed(Formation(formed=True, token=state.token, members=listed, superseded=earlier))


def _names(marker: Formation) -> set[str]:
    return {member.name for member in marker.members}


def _why(state: State) -> str:
    return f"; {state.trouble}" if state.trouble else ""
