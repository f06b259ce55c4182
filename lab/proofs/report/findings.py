"""Findings of a fault: its stall beside its goal, and whether data stayed right."""

from dataclasses import dataclass
from enum import Enum

from lab.proofs.report.fault_run import ALL, FaultRecord, Summary


class Verdict(Enum):
    """How a fault ended, in a word."""

    MET = "met"
    MISSED = "missed"
    UNSAFE = "data wrong"
    """Worse than any stall: a write lost, a stale read, or a history that is not linearizable."""
    MEASURED = "measured"
    """Nothing was promised."""
    UNKNOWN = "no data"


@dataclass(frozen=True)
class Findings:
    """What the summaries of a fault say together."""

    stall: float | None
    """The longest of any kind of client, in seconds: one that stands still is not made up for by
    another that goes on."""
    stalled: str
    """The kind of client that it befell."""
    longest: float | None
    """Seconds."""
    requests: int
    failed: int
    verdict: Verdict


def findings(fault: FaultRecord) -> Findings:
    """Read the summaries of a fault."""
    kinds = {kind: summary for kind, summary in fault.summaries.items() if kind != ALL}
    kinds = kinds or fault.summaries
    stalled = max(kinds, key=lambda kind: kinds[kind].stall, default="")
    whole = fault.summaries.get(ALL)
    parts: list[Summary] = [whole] if whole else list(kinds.values())
    stall = kinds[stalled].stall if stalled else None
    return Findings(
        stall=stall,
        stalled=stalled,
        longest=max((part.longest for part in fault.summaries.values()), default=None),
        requests=sum(part.requests for part in parts),
        failed=sum(part.failed for part in parts),
        verdict=_verdict(fault, stall),
    )


def _verdict(fault: FaultRecord, stall: float | None) -> Verdict:
    if fault.lost or fault.stale or not fault.linearizable:
        return Verdict.UNSAFE
    if stall is None:
        return Verdict.UNKNOWN
    if fault.goal_seconds is None:
        return Verdict.MEASURED
    return Verdict.MET if stall <= fault.goal_seconds else Verdict.MISSED
