"""Record of a fault's proof: what is published of it. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Annotated

from pydantic import (
    ConfigDict,
    Field,
    FiniteFloat,
    NonNegativeInt,
    PositiveFloat,
    StringConstraints,
)

from lab.proofs.load.history import Request
from lab.proofs.load.history_verdict import Verdict
from lab.proofs.load.summary import ALL, Seconds, Summary, Timeline, summaries, timeline

SERVICE_STALL = "service stall"
"""Measure: the longest time in which nobody's write succeeded."""


@dataclass(frozen=True)
class Event:
    """Something that happened around the fault."""

    at: FiniteFloat
    """Seconds from the beginning of the fault; negative before it."""
    what: str


@dataclass(frozen=True)
class Measure:
    """A time that a fault took, beside the longest that it may take."""

    what: str
    """In a few words, the figure after them: `service stall`, `another leads after`."""
    seconds: Seconds
    goal: PositiveFloat | None
    """Seconds; None where nothing is promised."""

    @property
    def met(self) -> bool | None:
        """Whether it is as promised; None where nothing is."""
        return None if self.goal is None else self.seconds <= self.goal


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault, and what is claimed of it."""

    name: Annotated[str, StringConstraints(pattern="^[a-z0-9-]+$")]
    """For files and anchors: `etcd-leader-power`."""
    title: str
    claim: str
    limit: str
    """Where the goals come from."""
    elsewhere: str
    """What other wirings do."""


@dataclass(frozen=True, kw_only=True)
class FaultRecord(Fault):
    """A fault, how long it took what, and what clients saw of it.

    Raises ValueError when clients saw something, and there is no summary of all.
    """

    # A record of another version of the project is refused, not half read.
    __pydantic_config__ = ConfigDict(extra="forbid")

    measures: Annotated[list[Measure], Field(min_length=1)]
    """The main one first."""
    began: FiniteFloat
    """Unix time in seconds."""
    ended: FiniteFloat
    """Unix time in seconds."""
    events: list[Event]
    summaries: dict[str, Summary]
    """By kind of client, and `all`; empty without the load."""
    lost: NonNegativeInt
    """Acknowledged writes that were gone afterwards."""
    stale: NonNegativeInt
    """Reads that were older than they may be."""
    linearizable: bool
    timeline: Timeline | None
    """None without the load."""

    def __post_init__(self) -> None:
        """Refuse summaries that say nothing of all clients together."""
        if self.summaries and ALL not in self.summaries:
            raise ValueError(f"there is no summary of {ALL} clients")

    @property
    def everyone(self) -> Summary | None:
        """What the clients of every kind saw; None without the load."""
        return self.summaries.get(ALL)


def recorded(
    fault: Fault,
    records: Iterable[Request],
    verdict: Verdict,
    *,
    goal: float | None,
    began: float,
    ended: float,
    measures: Sequence[Measure] = (),
    events: Sequence[Event] = (),
) -> FaultRecord:
    """The record of a fault under load, between two Unix times.

    Its main measure is the service stall, with its goal in seconds; more may follow. Raises
    ValueError when the load is not whole.
    """
    history = list(records)
    found = summaries(history, began, ended)
    stall = Measure(SERVICE_STALL, found[ALL].stall, goal)
    return replace(
        recorded_without_load(fault, [stall, *measures], began=began, ended=ended, events=events),
        summaries=found,
        lost=verdict.lost_acknowledged_writes,
        stale=verdict.stale_reads,
        linearizable=verdict.linearizable,
        timeline=timeline(history, began),
    )


def recorded_without_load(
    fault: Fault,
    measures: Sequence[Measure],
    *,
    began: float,
    ended: float,
    events: Sequence[Event] = (),
) -> FaultRecord:
    """The record of a fault that no client watched, between two Unix times."""
    return FaultRecord(
        **asdict(fault),
        measures=[*measures],
        began=began,
        ended=ended,
        events=[*events],
        summaries={},
        lost=0,
        stale=0,
        linearizable=True,
        timeline=None,
    )
