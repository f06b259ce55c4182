"""Summary of a load around a fault: stalls, failures, latencies. Pure."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveFloat

from lab.proofs.load.history import WRITES, Request, of_clients, window

ALL = "all"
"""Summary of the clients of every kind."""
STEP = 0.5
"""Seconds of a bin of the timeline: several pauses of a client."""

Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Phases = tuple[FiniteFloat | None, FiniteFloat | None, FiniteFloat | None]
"""Before, during and after the fault; None for a phase in which nothing succeeded."""


@dataclass(frozen=True)
class Summary:
    """What some clients saw."""

    requests: NonNegativeInt
    failed: NonNegativeInt
    stall: Seconds
    """Seconds of the longest time in which no write of any of them succeeded."""
    longest: Seconds
    """Seconds of the longest request, whatever came of it."""
    p50: Phases
    """Median in ms of the requests that succeeded, by the phase in which they started."""
    p99: Phases


@dataclass(frozen=True)
class Timeline:
    """Requests by time, in bins of equal length. Raises ValueError where a bin lacks something."""

    step: PositiveFloat
    """Seconds of a bin."""
    begin: FiniteFloat
    """Seconds from the beginning of the fault to the first bin's; negative before it."""
    ok: list[NonNegativeInt]
    """Requests that ended with success in the bin."""
    failed: list[NonNegativeInt]
    """Requests that ended with a failure in the bin."""
    slowest: list[Seconds]
    """Seconds of the longest request that started in the bin; 0 when none did."""

    def __post_init__(self) -> None:
        """Refuse lists of several lengths."""
        if not len(self.ok) == len(self.failed) == len(self.slowest):
            raise ValueError("a timeline has as many bins of each kind")


def summaries(records: Iterable[Request], began: float, ended: float) -> dict[str, Summary]:
    """Summaries by kind of client, and of all; the fault lasts between two Unix times.

    Raises ValueError when the load is not whole.
    """
    history = list(records)
    whole = window(history)
    requests = of_clients(history)
    groups = {ALL: requests}
    for one in sorted(requests, key=lambda one: one.kind):
        groups.setdefault(one.kind, []).append(one)
    return {
        name: Summary(
            requests=len(group),
            failed=sum(not one.ok for one in group),
            stall=round(stall(group, *whole), 3),
            longest=round(max((one.seconds for one in group), default=0.0), 3),
            p50=_phases(group, began, ended, 0.5),
            p99=_phases(group, began, ended, 0.99),
        )
        for name, group in groups.items()
    }


def stall(requests: Iterable[Request], begin: float, end: float) -> float:
    """Seconds of the longest time between two Unix times in which no write succeeded.

    A write succeeds when its client knows it. The edges count: a load that begins or ends without
    one has stalled there.
    """
    done = (one.end for one in requests if one.op in WRITES and one.ok)
    moments = [begin, *sorted(one for one in done if begin < one < end), end]
    return max(after - before for before, after in pairwise(moments))


def percentile(values: Iterable[float], share: float) -> float | None:
    """The least value that this share of all does not exceed (nearest rank); None of nothing."""
    ranked = sorted(values)
    return ranked[math.ceil(share * len(ranked)) - 1] if ranked else None


def timeline(records: Iterable[Request], began: float, step: float = STEP) -> Timeline:
    """Timeline of a load relative to the Unix time at which its fault began.

    The fault begins at the edge of a bin. Raises ValueError when the load is not whole.
    """
    history = list(records)
    first, last = window(history)
    requests = of_clients(history)
    last = max([last, *(one.end for one in requests)])
    offset = math.floor((first - began) / step)

    def bin_of(moment: float) -> int:
        return math.floor((moment - began) / step) - offset

    size = bin_of(last) + 1
    ok, failed, slowest = [0] * size, [0] * size, [0.0] * size
    for one in requests:
        (ok if one.ok else failed)[bin_of(one.end)] += 1
        slowest[bin_of(one.start)] = max(slowest[bin_of(one.start)], round(one.seconds, 3))
    return Timeline(step, offset * step, ok, failed, slowest)


def _phases(requests: Sequence[Request], began: float, ended: float, share: float) -> Phases:
    def phase(since: float, until: float) -> float | None:
        found = percentile(
            (1000 * one.seconds for one in requests if one.ok and since <= one.start < until),
            share,
        )
        return None if found is None else round(found, 1)

    return phase(-math.inf, began), phase(began, ended), phase(ended, math.inf)
