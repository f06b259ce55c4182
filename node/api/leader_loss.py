"""Loss of etcd's leader, by what members say of it: whose connections must end. Pure.

What a member forwarded to a leader that vanished is lost, and the member says so to its client only
after etcd's request timeout, 5 s and two elections (7 s here): ending the connection frees the
client earlier. A member that is cut off from the others keeps its clients waiting as long.

A health check cannot tell either from a slow disk, with which a member may be silent for seconds
too. Status can, which a member answers from its memory: its leader, and the term.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

VANISHED_SECONDS = 0.7
"""Silence after which a leader that has a successor had vanished: elections begin 0.9 s after a
last heartbeat at the earliest, which is 0.8 s after the leader was gone. One that hands over before
it stops was heard a moment ago, and loses no proposal that it has taken."""
ROUNDS = 2
"""For which a member must be behind: one round may fall into the milliseconds of any change."""


@dataclass(frozen=True)
class Status:
    """What a member says of itself."""

    id: int
    leader: int
    """Id of the member that it takes for the leader; 0 when it knows none."""
    term: int


class Verdict(StrEnum):
    """What becomes of a member's connections."""

    END = "its leader vanished"
    """They end, and are made again: what it forwarded to that leader is lost."""
    LEAVE = "it is cut off from the leader"
    """They end, and go elsewhere until the member is ready again."""


@dataclass
class _Member:
    leader: int = 0
    """The last one that it knew."""
    former: int = 0
    """One that has a successor, and is perhaps not gone but cut off."""
    former_rounds: int = 0
    behind_rounds: int = 0


@dataclass
class LeaderLoss:
    """What was heard so far, by the names of members, and when they were asked, by their ids."""

    _members: dict[str, _Member] = field(default_factory=dict)
    _heard: dict[int, float] = field(default_factory=dict)

    def hear(self, said: Mapping[str, Status], asked: float, now: float) -> dict[str, Verdict]:
        """Whose connections end after one more round of questions; who was silent is not in `said`.

        `asked` and `now`, at the round's begin and end, are of a monotonic clock, in seconds. A
        leader may be gone since it was asked: by the end of a round that a busy machine held up its
        successor would seem to follow at once, as after a handover.
        """
        by_id = {status.id: status for status in said.values()}
        verdicts = {}
        for name, status in said.items():
            member = self._members.setdefault(name, _Member())
            if self._is_behind(member, status, said):
                verdicts[name] = Verdict.LEAVE
            elif self._lost_leader(member, status, by_id, now):
                verdicts[name] = Verdict.END
        self._heard.update(dict.fromkeys(by_id, asked))
        return verdicts

    def _is_behind(self, member: _Member, status: Status, said: Mapping[str, Status]) -> bool:
        """Whether it has become so for long enough. Its connections may have nowhere to go: then
        they wait with it for the next leader."""
        terms = [other.term for other in said.values() if other.leader]
        behind = not status.leader or status.term < max(terms, default=0)
        member.behind_rounds = member.behind_rounds + 1 if behind and terms else 0
        return member.behind_rounds == ROUNDS

    def _lost_leader(
        self, member: _Member, status: Status, by_id: Mapping[int, Status], now: float
    ) -> bool:
        if status.leader and status.leader != member.leader:
            member.former, member.former_rounds = member.leader, 0
            member.leader = status.leader
        if not member.former:
            return False
        former = by_id.get(member.former)
        silent = 0.0 if former else now - self._heard.get(member.former, now)
        cut_off = former is not None and former.leader != status.leader
        if cut_off:
            member.former_rounds += 1
            if member.former_rounds < ROUNDS:
                return False
        member.former = 0
        return cut_off or silent >= VANISHED_SECONDS
