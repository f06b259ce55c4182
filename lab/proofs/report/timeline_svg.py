"""Timeline of a fault as SVG: slowest request, requests answered and failed, events, the fault."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from xml.etree.ElementTree import Element

from lab.proofs.report.bins import Bin, bins
from lab.proofs.report.fault_run import Fault
from lab.proofs.report.label_rows import Label, label_rows, text_width
from lab.proofs.report.markup import element, pixels, xml
from lab.proofs.report.scales import Scale, round_values
from lab.proofs.report.wording import NONE, count, goal, seconds

STYLE = (Path(__file__).parent / "timeline.css").read_text()
WIDE, NARROW = 960, 360
"""Widths in pixels, for a desktop and a phone."""
SIZE = 12.0
"""Of letters, in pixels, as in `timeline.css`."""

_LEFT, _RIGHT = 44, 10
_ROW = 17
_SLOW, _OK, _FAILED = 92, 72, 26
_BIN = 3.5
"""Pixels that a bin is wide at least."""
_BAR = 3.0
"""Pixels that one failure is high at least: it must be seen."""
_GOAL_WITHIN = 3.0
"""A goal further above the slowest request than so many times is said, not drawn."""


@dataclass(frozen=True)
class _Layout:
    """Where everything is, in pixels; the parts are from top to bottom."""

    width: float
    labels: Sequence[Label]
    across: Scale
    """From seconds since the fault began."""

    @property
    def fault(self) -> float:
        return len({label.row for label in self.labels}) * _ROW + 12

    @property
    def slow(self) -> float:
        """Top of the panel of the slowest request; its heading is above."""
        return self.fault + 42

    @property
    def ok(self) -> float:
        """Top of the panel of answered requests."""
        return self.slow + _SLOW + 30

    @property
    def base(self) -> float:
        """Between what was answered, above, and what failed, below."""
        return self.ok + _OK

    @property
    def axis(self) -> float:
        return self.base + _FAILED + 18

    @property
    def height(self) -> float:
        return self.axis + 36

    def label_base(self, label: Label) -> float:
        """Baseline of a label."""
        return self.fault - 8 - label.row * _ROW


def timeline(fault: Fault, width: int, *, tooltips: bool) -> Element:
    """The timeline of a fault, styled by `STYLE` in the document that it is put into."""
    room = width - _LEFT - _RIGHT
    data = bins(fault.timeline, int(room / _BIN))
    layout = _layout(fault, data, width)
    drawn = element(
        "svg",
        element("title", fault.title),
        element("desc", _description(fault, data)),
        *_shading(fault, layout),
        *_time_axis(layout),
        *(_event_line(label, layout) for label in layout.labels),
        *_slowest(fault, data, layout),
        *_requests(data, layout),
        *(part for label in layout.labels for part in _event_word(label, layout)),
        class_="chart",
        viewBox=f"0 0 {width} {pixels(layout.height)}",
        role="img",
        aria_label=f"Timeline: {fault.title}",
    )
    if tooltips:
        drawn.extend(_tooltip(each, layout) for each in data)
    return drawn


def picture(fault: Fault) -> str:
    """The timeline of a fault as a file of its own, headed by what it shows."""
    drawn = timeline(fault, WIDE, tooltips=False)
    height = float(drawn.get("viewBox", "").split()[3])
    top = 34.0
    drawn.set("xmlns", "http://www.w3.org/2000/svg")
    drawn.set("viewBox", f"0 {pixels(-top)} {WIDE} {pixels(height + top)}")
    heading = element("text", fault.title, class_="heading", x=12, y=-10)
    heading.set("style", "font-size: 16px")
    paper = element("rect", class_="paper", x=0, y=-top, width=WIDE, height=height + top, rx=6)
    for index, part in enumerate((element("style", STYLE), paper, heading)):
        drawn.insert(2 + index, part)
    return xml(drawn)


def _layout(fault: Fault, data: Sequence[Bin], width: int) -> _Layout:
    lasted = _lasted(fault)
    moments = [0.0, lasted, *(event.at for event in fault.events)]
    moments += [edge for each in data for edge in (each.begin, each.begin + each.length)]
    low, high = min(moments), max(moments)
    across = Scale(low, high if high > low else low + 1, _LEFT, width - _RIGHT)
    wanted = [
        (across(event.at), f"{event.at:.1f} s  {event.what}")
        for event in sorted(fault.events, key=lambda event: event.at)
    ]
    return _Layout(width, label_rows(wanted, 6, width - 6, SIZE), across)


def _lasted(fault: Fault) -> float:
    return max(fault.ended - fault.began, 0.0)


def _shading(fault: Fault, layout: _Layout) -> Iterator[Element]:
    left, right = layout.across(0), layout.across(_lasted(fault))
    top, bottom = layout.fault, layout.axis
    yield element(
        "rect", class_="fault", x=left, y=top, width=max(right - left, 2), height=bottom - top
    )
    yield _line("fault-edge", left, top, left, bottom)
    yield _line("fault-edge", right, top, right, bottom)
    word = f"fault, {seconds(_lasted(fault))}"
    start = min(left + 5, layout.width - 6 - text_width(word, SIZE))
    yield _text(word, start, top + 14, "fault-word")


def _time_axis(layout: _Layout) -> Iterator[Element]:
    across = layout.across
    yield _line("axis", across.start, layout.axis, across.end, layout.axis)
    for value in round_values(across.low, across.high, 6 if layout.width < WIDE else 14):
        x = across(value)
        yield _line("axis", x, layout.axis, x, layout.axis + 4)
        yield _text(f"{value:g}", x, layout.axis + 16, "tick middle")
    middle = (across.start + across.end) / 2
    yield _text("seconds since the fault began", middle, layout.axis + 31, "tick middle")


def _slowest(fault: Fault, data: Sequence[Bin], layout: _Layout) -> Iterator[Element]:
    top, bottom = layout.slow, layout.slow + _SLOW
    known = [each.slowest for each in data if each.slowest is not None]
    slowest = max(known, default=0.0)
    promised = fault.goal_seconds
    drawn = promised is not None and (not slowest or promised <= slowest * _GOAL_WITHIN)
    most = max(slowest, promised if promised and drawn else 0.0) or 1.0
    up = Scale(0, most * 1.18, bottom, top)
    yield from _value_axis(up, layout, most, 4)
    yield _text("Slowest request, seconds", layout.across.start, top - 8, "strong halo")
    for _, run in groupby(data, key=lambda each: each.slowest is None):
        yield from _slow_run([each for each in run if each.slowest is not None], up, layout)
    yield from _peak(fault, data, up, layout)
    if promised is None:
        return
    y = up(promised) if drawn else top - 8
    at_left = drawn and _peaks_right(data, layout)
    words = f"goal {goal(promised)}" + ("" if drawn else " is above this")
    if drawn:
        yield _line("goal", layout.across.start, y, layout.across.end, y)
    x = layout.across.start + 4 if at_left else layout.across.end - 2
    y -= 5 if drawn else 0
    yield _text(words, x, y, f"goal-word strong halo{'' if at_left else ' end'}")


def _slow_run(run: Sequence[Bin], up: Scale, layout: _Layout) -> Iterator[Element]:
    if not run:
        return
    steps = [
        f"{pixels(layout.across(edge))},{pixels(up(each.slowest or 0))}"
        for each in run
        for edge in (each.begin, each.begin + each.length)
    ]
    path = "M" + "L".join(steps)
    left, right = layout.across(run[0].begin), layout.across(run[-1].begin + run[-1].length)
    area = f"{path}L{pixels(right)},{pixels(up(0))}L{pixels(left)},{pixels(up(0))}Z"
    yield element("path", class_="slow-area", d=area)
    yield element("path", class_="slow", d=path)


def _peak(fault: Fault, data: Sequence[Bin], up: Scale, layout: _Layout) -> Iterator[Element]:
    known = [each for each in data if each.slowest]
    if not known:
        return
    peak = max(known, key=lambda each: each.slowest or 0)
    over = fault.goal_seconds is not None and (peak.slowest or 0) > fault.goal_seconds
    x, y = layout.across(peak.begin + peak.length / 2), up(peak.slowest or 0)
    yield element("circle", class_="over" if over else "slow-word", cx=x, cy=y, r=3.5)
    word = seconds(peak.slowest)
    on_left = x + 8 + text_width(word, SIZE) > layout.across.end
    kind = f"{'over' if over else 'slow-word'} strong halo{' end' if on_left else ''}"
    yield _text(word, x + (-8 if on_left else 8), y + 4, kind)


def _peaks_right(data: Sequence[Bin], layout: _Layout) -> bool:
    peak = max(data, key=lambda each: each.slowest or 0, default=None)
    return peak is not None and layout.across(peak.begin) > layout.width * 0.6


def _requests(data: Sequence[Bin], layout: _Layout) -> Iterator[Element]:
    answered = [(each.ok or 0) / each.length for each in data]
    failing = [(each.failed or 0) / each.length for each in data]
    up = Scale(0, max(answered, default=0) or 1, layout.base, layout.ok)
    down = Scale(0, max(failing, default=0) or 1, layout.base, layout.base + _FAILED)
    yield from _value_axis(up, layout, up.high, 3)
    start = layout.across.start
    yield _text("Requests answered, per second", start, layout.ok - 8, "strong halo")
    yield element("path", class_="ok", d=_bars(data, answered, up, layout, 0))
    yield element("path", class_="failed", d=_bars(data, failing, down, layout, _BAR))
    yield _line("axis", start, layout.base, layout.across.end, layout.base)
    failed = sum(each.failed or 0 for each in data)
    if any(failing):
        yield _text(
            f"{max(failing):,.0f}" if max(failing) >= 1 else f"{max(failing):.1g}",
            start - 5,
            layout.base + _FAILED,
            "tick end",
        )
    words = f"failed, per second: {failed:,} in all" if failed else "none failed"
    kind = "over strong halo" if failed else "tick halo"
    yield _text(words, start, layout.base + (_FAILED + 13 if failed else 15), kind)


def _bars(
    data: Sequence[Bin], rates: Sequence[float], scale: Scale, layout: _Layout, least: float
) -> str:
    """Path of a bar for each bin, from the base line."""
    path = []
    for each, rate in zip(data, rates, strict=True):
        if rate:
            left, right = layout.across(each.begin), layout.across(each.begin + each.length)
            wide = max(right - left - (0.6 if right - left > 2 else 0), 0.5)
            high = scale(rate) - scale.start
            high = max(high, least) if high > 0 else high
            path.append(
                f"M{pixels(left)},{pixels(scale.start)}h{pixels(wide)}"
                f"v{pixels(high)}h{pixels(-wide)}z"
            )
    return "".join(path)


def _value_axis(up: Scale, layout: _Layout, most: float, ticks: int) -> Iterator[Element]:
    for value in round_values(0, most, ticks):
        y = up(value)
        yield _line("grid", layout.across.start, y, layout.across.end, y)
        yield _text(
            f"{value:g}" if value < 10_000 else f"{value:,.0f}",
            layout.across.start - 5,
            y + 4,
            "tick end",
        )


def _event_line(label: Label, layout: _Layout) -> Element:
    return _line("event", label.line, layout.label_base(label) - 8, label.line, layout.axis)


def _event_word(label: Label, layout: _Layout) -> Iterator[Element]:
    y = layout.label_base(label)
    yield element("circle", class_="event-end", cx=label.line, cy=y - 4, r=2.5)
    yield _text(label.text, label.left, y, "halo")


def _tooltip(each: Bin, layout: _Layout) -> Element:
    left, right = layout.across(each.begin), layout.across(each.begin + each.length)
    height = layout.axis - layout.fault
    words = (
        f"{each.begin:.1f} to {each.begin + each.length:.1f} s: {_known(each.ok)} answered, "
        f"{_known(each.failed)} failed, slowest {seconds(each.slowest)}"
    )
    return element(
        "rect",
        element("title", words),
        class_="hit",
        x=left,
        y=layout.fault,
        width=right - left,
        height=height,
    )


def _known(number: int | None) -> str:
    return NONE if number is None else f"{number:,}"


def _description(fault: Fault, data: Sequence[Bin]) -> str:
    failures = [each for each in data if each.failed]
    peak = max(data, key=lambda each: each.slowest or 0, default=None)
    parts = [f"The fault lasts {seconds(_lasted(fault))}."]
    if peak is not None and peak.slowest:
        parts.append(f"The slowest request takes {seconds(peak.slowest)}, at {peak.begin:.1f} s.")
    if failures:
        failed = sum(each.failed or 0 for each in failures)
        last = failures[-1].begin + failures[-1].length
        parts.append(
            f"{count(failed, 'request')} failed, between {failures[0].begin:.1f} s "
            f"and {last:.1f} s."
        )
    parts += [f"At {event.at:.1f} s: {event.what}." for event in fault.events]
    return " ".join(parts)


def _line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Element:
    return element("line", class_=kind, x1=x1, y1=y1, x2=x2, y2=y2)


def _text(words: str, x: float, y: float, kind: str) -> Element:
    return element("text", words, class_=kind, x=x, y=y)
