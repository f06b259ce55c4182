"""Bins of a timeline, as many as a chart has room for."""

import math
from dataclasses import dataclass

from lab.proofs.load.summary import Timeline


@dataclass(frozen=True)
class Bin:
    """Requests of a short time."""

    begin: float
    """Seconds since the fault began."""
    length: float
    """Seconds."""
    ok: int
    failed: int
    slowest: float | None
    """Seconds; None where no request started, for which a timeline has 0."""

    @property
    def end(self) -> float:
        """Seconds since the fault began."""
        return self.begin + self.length


def bins(timeline: Timeline, most: int) -> list[Bin]:
    """At most so many bins; several of a timeline become one where it has more."""
    together = max(math.ceil(len(timeline.ok) / most), 1)
    length = timeline.step * together
    merged = []
    for first in range(0, len(timeline.ok), together):
        part = slice(first, first + together)
        begin = timeline.begin + first * timeline.step
        slowest = max(timeline.slowest[part]) or None
        merged.append(
            Bin(begin, length, sum(timeline.ok[part]), sum(timeline.failed[part]), slowest)
        )
    return merged
