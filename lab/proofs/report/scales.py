"""Scales of a chart: values to pixels, and the round values in between."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """Linear scale from values to pixels."""

    low: float
    high: float
    start: float
    """Pixel of the lowest value."""
    end: float
    """Pixel of the highest value."""

    def __call__(self, value: float) -> float:
        """The pixel of a value, at an edge where the value is beyond it."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)


def round_values(low: float, high: float, most: int) -> list[float]:
    """At most so many round values in a range: multiples of 1, 2 or 5 by a power of ten."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(
        step
        for step in (power * factor for factor in (1, 2, 5, 10, 20))
        if math.floor(high / step) - math.ceil(low / step) < most
    )
    first = math.ceil(low / step)
    return [number * step for number in range(first, math.floor(high / step) + 1)]
