"""Panels of a timeline: the slowest request, and requests answered and failed."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from xml.etree.ElementTree import Element

from lab.proofs.report.bins import Bin
from lab.proofs.report.chart_layout import SIZE, Layout, line, words
from lab.proofs.report.label_rows import text_width
from lab.proofs.report.markup import element, pixels
from lab.proofs.report.scales import Scale, round_values
from lab.proofs.report.wording import seconds

_BAR = 3.0
"""Pixels that one failure is high at least: it must be seen."""
_ROOM = 1.18
"""Height of a panel, of its highest value: a word fits above that."""


def slowest_request(data: Sequence[Bin], layout: Layout) -> Iterator[Element]:
    """The slowest request of each bin, in seconds."""
    peak = max(
        (each for each in data if each.slowest), key=lambda each: each.slowest or 0, default=None
    )
    slowest = (peak.slowest or 0.0) if peak else 0.0
    most = slowest or 1.0
    up = Scale(0, most * _ROOM, layout.slow_base, layout.slow)
    yield from _value_axis(up, layout, most, 4)
    yield words("Slowest request, seconds", layout.across.start, layout.slow - 8, "strong halo")
    for known, run in groupby(data, key=lambda each: each.slowest is not None):
        if known:
            yield from _steps(list(run), up, layout)
    if peak:
        yield from _peak(peak, slowest, up, layout)


def _steps(run: Sequence[Bin], up: Scale, layout: Layout) -> Iterator[Element]:
    steps = [
        f"{pixels(layout.across(edge))},{pixels(up(each.slowest or 0))}"
        for each in run
        for edge in (each.begin, each.end)
    ]
    left, right = layout.across(run[0].begin), layout.across(run[-1].end)
    bottom = pixels(up(0))
    path = f"M{pixels(left)},{bottom}L{'L'.join(steps)}L{pixels(right)},{bottom}"
    yield element("path", class_="slow", d=path)


def _peak(peak: Bin, slowest: float, up: Scale, layout: Layout) -> Iterator[Element]:
    x, y = layout.across((peak.begin + peak.end) / 2), up(slowest)
    yield element("circle", class_="slow-word", cx=x, cy=y, r=3.5)
    word = seconds(slowest)
    on_left = x + 8 + text_width(word, SIZE) > layout.across.end
    x, side = (x - 8, " end") if on_left else (x + 8, "")
    yield words(word, x, y + 4, f"slow-word strong halo{side}")


def requests(data: Sequence[Bin], layout: Layout) -> Iterator[Element]:
    """Requests answered, upwards, and failed, downwards and on a scale of their own, per second."""
    start, end = layout.across.start, layout.across.end
    answered = [each.ok / each.length for each in data]
    failing = [each.failed / each.length for each in data]
    up = Scale(0, max(answered, default=0) or 1, layout.base, layout.ok)
    worst = max(failing, default=0.0)
    down = Scale(0, worst or 1, layout.base, layout.axis)
    for each in data:
        if each.ok == 0:
            left, right = layout.across(each.begin), layout.across(each.end)
            wide, high = right - left, layout.base - layout.ok
            yield element("rect", class_="nothing", x=left, y=layout.ok, width=wide, height=high)
    yield from _value_axis(up, layout, up.high, 3)
    yield words("Requests answered, per second", start, layout.ok - 8, "strong halo")
    yield element("path", class_="ok", d=_bars(data, answered, up, layout, 0))
    yield element("path", class_="failed", d=_bars(data, failing, down, layout, _BAR))
    yield line("axis", start, layout.base, end, layout.base)
    failed = sum(each.failed for each in data)
    if not failed:
        yield words("None failed", start, layout.axis + 32, "strong")
        return
    rate = f"{worst:,.0f}" if worst >= 1 else f"{worst:.1g}"
    yield words(rate, start - 5, layout.axis + 3, "tick end")
    yield words(f"Failed, per second ({failed:,} in all)", start, layout.axis + 32, "over strong")


def _bars(
    data: Sequence[Bin], rates: Sequence[float], scale: Scale, layout: Layout, least: float
) -> str:
    """Path with a bar for each bin, from the line between answered and failed."""
    path = []
    for each, rate in zip(data, rates, strict=True):
        if rate:
            left, right = layout.across(each.begin), layout.across(each.end)
            wide = right - left - (0.6 if right - left > 2 else 0)
            high = max(scale(rate) - scale.start, least) if least else scale(rate) - scale.start
            path.append(
                f"M{pixels(left)},{pixels(scale.start)}h{pixels(wide)}"
                f"v{pixels(high)}h{pixels(-wide)}z"
            )
    return "".join(path)


def _value_axis(up: Scale, layout: Layout, most: float, ticks: int) -> Iterator[Element]:
    for value in round_values(0, most, ticks):
        y = up(value)
        yield line("grid", layout.across.start, y, layout.across.end, y)
        yield words(f"{value:,.6g}", layout.across.start - 5, y + 4, "tick end")
