"""Rules for an etcd member's instance and data volume: whether they may go. Pure.

Every rule errs on the side of waiting: what is not heard, not readable or contradicted does not
count.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from components.gates.reports import EtcdReport, NoReport
from components.gates.verdict import Pass, Refuse, Verdict, Wait
from config.quorum import Quorum
from node.contract import EtcdState, Role


@dataclass(frozen=True, kw_only=True)
class Tier:
    """What a gate knows of the etcd tier at one moment."""

    desired: frozenset[str]
    """The members that the stack wants."""
    formed: bool | None
    """Whether there is a cluster: False only while the first one is being founded, and None when
    nobody can say."""
    heard: Mapping[str, EtcdReport | NoReport]
    """The report of each node that counts, or why there is none."""
    restoring: bool = False
    """Whether the members are to found the cluster anew from a snapshot."""

    def of(self, name: str) -> EtcdReport | NoReport:
        """What a node says."""
        return self.heard.get(name) or NoReport("is unknown here, and nobody reports for it")


def may_be_replaced(tier: Tier, member: str, *, running: bool) -> Verdict:
    """Whether the instance of a member that stays a member may go, or lose its disk for a while.

    The others alone count: the successor brings this one back. `running` is whether the instance
    runs at all. One that does not is away already, by this update's own hand (its disk was taken
    off a moment ago) or by an earlier one's; to hold back its successor would protect nobody.
    """
    if not running:
        return Pass("its machine does not run any more")
    if verdict := _unformed(tier):
        return verdict
    membership = _membership(tier)
    if isinstance(membership, Wait):
        return membership
    voters = {name for name, role in membership.items() if role == Role.VOTER}
    if member in voters:
        return _can_spare(tier, member, voters)
    own = tier.of(member)
    if isinstance(own, EtcdReport) and own.state == EtcdState.MEMBER:
        return Wait((f"{member} says that it is a member, and the leader does not say so yet",))
    return Pass("it has no vote")


def _can_spare(tier: Tier, member: str, voters: set[str]) -> Verdict:
    """Whether the other voters are enough, and every one of them is well."""
    others = voters - {member}
    if not others:
        return Refuse(
            f"{member} is the only voting member, and without it there is no etcd: set etcd.size "
            "to 3 first, or set protect: false for this update and accept the outage"
        )
    reasons = [complaint for name in sorted(others) if (complaint := _complaint(tier, name))]
    quorum = Quorum(len(voters), 1).quorum
    if len(others) < quorum:
        reasons.append(f"of {len(voters)} voting members none can be spared (quorum {quorum})")
    return Wait(tuple(reasons)) if reasons else Pass("the other members are healthy")


def may_leave(tier: Tier, member: str) -> Verdict:
    """Whether a node that the stack no longer wants may go: once it has left the cluster."""
    if verdict := _unformed(tier):
        return verdict
    own = tier.of(member)
    if isinstance(own, EtcdReport):
        if own.state == EtcdState.LEFT:
            return Pass("it has left the cluster")
        return Wait((f"{member} has not left the cluster yet (it reports {own.state})",))
    membership = _membership(tier)
    if isinstance(membership, Wait):
        return Wait((f"{member} {own.reason}", *membership.reasons))
    if member in membership:
        return Wait((f"{member} {own.reason}, and the leader still lists it",))
    return Pass("the leader does not list it any more")


def disk_may_go(tier: Tier, member: str) -> Verdict:
    """Whether the data volume of a node may be deleted."""
    if member in tier.desired:
        return Refuse(
            f"{member} is a member of this stack, and this would delete its data: undo the change "
            "that replaces its volume; protect: false, in an update of its own, takes this guard "
            "away"
        )
    return may_leave(tier, member)


def _unformed(tier: Tier) -> Verdict | None:
    """What follows from there being no cluster now."""
    if tier.formed is False:
        return Pass("the cluster was never formed, so there is nothing to lose")
    if tier.restoring:
        return Wait(("a snapshot is being restored, and the cluster is not formed again yet",))
    return None


def _membership(tier: Tier) -> Mapping[str, str] | Wait:
    """The membership that the leader reports, or whom it waits for."""
    claims = [
        (name, report.members)
        for name, report in sorted(tier.heard.items())
        if isinstance(report, EtcdReport)
        and report.leader
        and report.members is not None
        and _complaint(tier, name) is None
        and report.members.get(name) == Role.VOTER
    ]
    if not claims:
        return Wait((*_complaints(tier), "no leader has reported"))
    if len(claims) > 1:  # for one report after an election
        return Wait((f"{' and '.join(name for name, _ in claims)} say that they lead",))
    return claims[0][1]


def _complaints(tier: Tier) -> Iterator[str]:
    for name in sorted(tier.desired):
        if complaint := _complaint(tier, name):
            yield complaint


def _complaint(tier: Tier, name: str) -> str | None:
    """Why a member does not count as one that can be relied on."""
    said = tier.of(name)
    if isinstance(said, NoReport):
        return f"{name} {said.reason}"
    if said.state != EtcdState.MEMBER:
        return f"{name} is no member yet (it reports {said.state})"
    return None if said.healthy else f"{name} is not healthy"
