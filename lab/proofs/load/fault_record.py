"""Record of a fault's proof: what is published of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from pydantic import ConfigDict, TypeAdapter

from lab.proofs.load.history import Request
from lab.proofs.load.summary import Summary, Timeline, summaries, timeline
from lab.proofs.load.verdict import Verdict


@dataclass(frozen=True)
class Event:
    """Something that happened around the fault."""

    at: float
    """Seconds from the beginning of the fault."""
    what: str


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault, and what is claimed of it."""

    name: str
    """For files and anchors: `etcd-leader-power`."""
    title: str
    claim: str
    goal_seconds: float | None
    """The longest stall that is claimed; None where nothing is."""
    limit: str
    """Where the limit comes from."""
    elsewhere: str
    """What other wirings do."""


@dataclass(frozen=True, kw_only=True)
class FaultRecord(Fault):
    """A fault and what clients saw of it."""

    # A record of another version of the project is refused, not half read.
    __pydantic_config__ = ConfigDict(extra="forbid")

    began: float
    """Unix time in seconds."""
    ended: float
    """Unix time in seconds."""
    events: list[Event]
    summaries: dict[str, Summary]
    """By kind of client, and `all`."""
    lost: int
    """Acknowledged writes."""
    stale: int
    """Reads."""
    linearizable: bool
    timeline: Timeline

    def to_json(self) -> str:
        """The record as JSON, of one line per value."""
        return _RECORD.dump_json(self, indent=1).decode() + "\n"

    @classmethod
    def from_json(cls, text: str) -> "FaultRecord":
        """The record in a JSON text. Raises ValueError."""
        return _RECORD.validate_json(text)


_RECORD = TypeAdapter(FaultRecord)


def recorded(
    fault: Fault,
    records: Iterable[Request],
    verdict: Verdict,
    *,
    began: float,
    ended: float,
    events: Sequence[Event] = (),
) -> FaultRecord:
    """The record of a fault between two Unix times. Raises ValueError when the load is
    not whole."""
    history = list(records)
    return FaultRecord(
        **asdict(fault),
        began=began,
        ended=ended,
        events=[*events],
        summaries=summaries(history, began, ended),
        lost=verdict.lost_acknowledged_writes,
        stale=verdict.stale_reads,
        linearizable=verdict.linearizable,
        timeline=timeline(history, began),
    )
