"""Plan of the membership, by the member that leads: what it sees in, the one next change out. Pure.

Only the node whose etcd leads changes the membership, through its own client port. etcd makes a
change at a time, checks each against the quorum that it sees itself, and refuses one that another
leader has made already, so two nodes that both take themselves for the leader do no harm.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from node.contract import EtcdState
from node.etcd.member_status import Report
from node.etcd.members import Entry, at, survives
from node.membership import Member


@dataclass(frozen=True)
class Cluster:
    """What the leading node sees."""

    me: str
    """Its own member id."""
    entries: tuple[Entry, ...]
    """The membership, by a linearizable read."""
    connected: frozenset[str]
    """Members that answer, itself included."""
    desired: tuple[Member, ...]
    reports: Mapping[str, Report]
    """What the nodes of the desired members last said, by name; it may be long ago."""
    misjudged: frozenset[str] = frozenset()
    """Members of `connected` that answer although the leader's etcd takes them for disconnected."""

    @property
    def voters(self) -> tuple[Entry, ...]:
        """The members whose votes count."""
        return tuple(entry for entry in self.entries if entry.voter)

    @property
    def learner(self) -> Entry | None:
        """The member whose vote does not count yet."""
        return next((entry for entry in self.entries if not entry.voter), None)

    def wanted(self, entry: Entry) -> Member | None:
        """The desired member that this one is."""
        return next((m for m in self.desired if m.address == entry.address), None)

    def report(self, entry: Entry) -> Report | None:
        """What the node of a desired member last said."""
        member = self.wanted(entry)
        return self.reports.get(member.name) if member else None

    def lost(self, entry: Entry) -> bool:
        """Whether its own node says that this member's disk is gone.

        A node says so of one id only, and only once it had it: an old report cannot speak of a
        member that came later.
        """
        report = self.report(entry)
        return (
            report is not None and report.state == EtcdState.EMPTY and report.member_id == entry.id
        )

    def label(self, entry: Entry) -> str:
        """What people call a member."""
        member = self.wanted(entry)
        return entry.name or (member.name if member else entry.address)


@dataclass(frozen=True)
class Add:
    """Add a desired member as a learner: it counts for nothing until it is in sync."""

    member: Member


@dataclass(frozen=True)
class Promote:
    """Make a learner a voter; etcd refuses while it is not in sync."""

    entry: Entry


@dataclass(frozen=True)
class Remove:
    """Take a member out."""

    entry: Entry
    reason: str


@dataclass(frozen=True)
class Transfer:
    """Hand leadership to another member, whose node goes on."""

    to: Entry


@dataclass(frozen=True)
class Pause:
    """Nothing can be changed now, and something should be."""

    reason: str


@dataclass(frozen=True)
class Settled:
    """The membership is the desired one."""


Change = Add | Promote | Remove | Transfer | Pause | Settled


def decide(cluster: Cluster) -> Change:
    """The one next change."""
    if not cluster.desired:
        return Pause("the etcd members parameter is empty: run pulumi up")
    change = (
        _learner(cluster)
        or _dead(cluster)
        or _starting(cluster)
        or _joining(cluster)
        or _leaving(cluster)
    )
    return _by_another(cluster) or change if isinstance(change, Add | Remove) else change


def _by_another(cluster: Cluster) -> Transfer | None:
    """Leadership for a member that this etcd misjudges, and that knows better of itself.

    etcd adds and removes nobody while it takes a voter for disconnected, and it may do so for ever
    after that voter's restart (etcd issue 14523); each member judges its own connections.
    """
    misjudged = [entry for entry in cluster.voters if entry.id in cluster.misjudged]
    return Transfer(min(misjudged, key=lambda entry: entry.name)) if misjudged else None


def _learner(cluster: Cluster) -> Change | None:
    """What the learner, of which etcd takes one at a time, is ready for."""
    learner = cluster.learner
    if learner is None:
        return None
    if cluster.wanted(learner) is None:
        return Remove(learner, "it is not wanted any more")
    if cluster.lost(learner):
        return Remove(learner, "it lost its disk while it was joining")
    if learner.id in cluster.connected:
        voters = [entry.id for entry in cluster.voters]
        return Promote(learner) if survives([*voters, learner.id], cluster.connected) else None
    report = cluster.report(learner)
    others = [m.name for m in _asking(cluster) if cluster.reports[m.name].fresh]
    if others and not (report and report.fresh):
        return Remove(learner, f"its node is silent, and {others[0]} wants to join")
    return None


def _dead(cluster: Cluster) -> Change | None:
    """Members that are gone for good: they only count against the quorum.

    Removed before anything is added (etcd FAQ, "Should I add a member before removing ..."), and
    while a learner is awaited too: its machine may be gone as well.
    """
    # A list that names no member at all is a mistake; being down must cost none its place then.
    known = any(cluster.wanted(voter) for voter in cluster.voters)
    for entry in sorted(cluster.voters, key=_youngest_first):
        lost, unwanted = cluster.lost(entry), known and cluster.wanted(entry) is None
        if entry.id in cluster.connected or not (lost or unwanted):
            continue
        if _may_remove(cluster, entry):
            return Remove(entry, "it lost its disk" if lost else "it is not wanted any more")
        return Pause(f"{cluster.label(entry)} is gone, but removing it now would break the quorum")
    return None


def _starting(cluster: Cluster) -> Change | None:
    """Neither added nor removed is anything that is alive while a learner is not a voter yet."""
    learner = cluster.learner
    if learner is None:
        return None
    if learner.id in cluster.connected:
        return Pause(f"{cluster.label(learner)} is not promoted while too few voters are alive")
    return Pause(f"{cluster.label(learner)} is to start as a learner")


def _joining(cluster: Cluster) -> Change | None:
    asking = _asking(cluster)
    if asking:
        # Who answers first: a node that asked and then fell silent would hold up the others.
        return Add(min(asking, key=lambda m: (not cluster.reports[m.name].fresh, m.name)))
    missing = [m.name for m in cluster.desired if at(m.address, cluster.entries) is None]
    if missing:
        # Members that leave meanwhile would make the tier smaller than anybody wanted.
        return Pause(f"{', '.join(missing)} must ask to join")
    return None


def _asking(cluster: Cluster) -> list[Member]:
    """Desired members that are none yet, and whose nodes are ready."""
    return [
        member
        for member in cluster.desired
        if at(member.address, cluster.entries) is None
        and member.name in cluster.reports
        and cluster.reports[member.name].state == EtcdState.EMPTY
    ]


def _leaving(cluster: Cluster) -> Change:
    """Voters that are alive and not wanted any more, the youngest first, the leader last."""
    unwanted = [entry for entry in cluster.voters if cluster.wanted(entry) is None]
    if not unwanted:
        return Settled()
    followers = [entry for entry in unwanted if entry.id != cluster.me]
    if not followers:
        heirs = [e for e in cluster.voters if cluster.wanted(e) and e.id in cluster.connected]
        if heirs:
            return Transfer(min(heirs, key=lambda entry: entry.name))
        return Pause("this member leads and must leave, but no other can lead")
    leaver = min(followers, key=_youngest_first)
    if _may_remove(cluster, leaver):
        return Remove(leaver, "it is not wanted any more")
    return Pause(f"{cluster.label(leaver)} must stay while too few voters are alive")


def _may_remove(cluster: Cluster, entry: Entry) -> bool:
    """Whether the voters that stay are a quorum of themselves. The leader never removes itself."""
    rest = [voter.id for voter in cluster.voters if voter.id != entry.id]
    return entry.id != cluster.me and survives(rest, cluster.connected)


def _youngest_first(entry: Entry) -> tuple[int, ...]:
    """By address, as members are numbered: what Pulumi deletes first goes first."""
    return tuple(-int(part) for part in entry.address.split("."))
