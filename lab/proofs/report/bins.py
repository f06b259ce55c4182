"""Bins of a timeline, as many as a chart has room for."""

import itertools
import math
from dataclasses import dataclass

from lab.proofs.report.fault_run import Timeline


@dataclass(frozen=True)
class Bin:
    """Requests of a short time; None where nothing was recorded."""

    begin: float
    """Seconds since the fault began."""
    length: float
    """Seconds."""
    ok: int | None
    failed: int | None
    slowest: float | None
    """Seconds; None also where no request started, for which a run has 0."""

    @property
    def end(self) -> float:
        """Seconds since the fault began."""
        return self.begin + self.length


def bins(timeline: Timeline, most: int) -> list[Bin]:
    """At most so many bins; several of a timeline become one where it has more."""
    recorded = list(itertools.zip_longest(timeline.ok, timeline.failed, timeline.slowest))
    together = max(math.ceil(len(recorded) / most), 1)
    length = timeline.step * together
    merged = []
    for number, first in enumerate(range(0, len(recorded), together)):
        ok, failed, slowest = zip(*recorded[first : first + together], strict=True)
        begin = timeline.begin + number * length
        longest = max((value for value in slowest if value), default=None)
        merged.append(Bin(begin, length, _sum(ok), _sum(failed), longest))
    return merged


def _sum(values: tuple[int | None, ...]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
