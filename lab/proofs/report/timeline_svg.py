"""Timeline of a fault as SVG: events, how long the fault lasted, and what clients noticed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree.ElementTree import Element

from lab.proofs.load.fault_record import FaultRecord
from lab.proofs.report import panels
from lab.proofs.report.bins import Bin, bins
from lab.proofs.report.chart_layout import (
    BANNER,
    LEFT,
    NARROW,
    RIGHT,
    SIZE,
    WIDE,
    Layout,
    in_order,
    lasted,
    layout,
    line,
    words,
)
from lab.proofs.report.label_rows import Label, text_width
from lab.proofs.report.markup import element, pixels, xml
from lab.proofs.report.scales import round_values
from lab.proofs.report.wording import count, seconds, short

STYLE = (Path(__file__).parent / "timeline.css").read_text()

_BIN = 3.5
"""Pixels that a bin is wide at least."""
_HEAD = 54
"""Height of the title of a picture, and of what was found below it."""


def timeline(fault: FaultRecord, *, narrow: bool) -> Element:
    """The timeline of a fault, styled by `STYLE` in the document that it is put into.

    A narrow one is for phones: its events are numbers, in order, and nothing waits for a pointer.
    Raises ValueError where there is none.
    """
    if fault.timeline is None:
        raise ValueError(f"{fault.name} was measured without the load")
    data = bins(fault.timeline, int(((NARROW if narrow else WIDE) - LEFT - RIGHT) / _BIN))
    placed = layout(fault, data, narrow=narrow)
    return element(
        "svg",
        element("title", f"Timeline: {fault.title}"),
        element("desc", _description(fault, data)),
        *_shading(lasted(fault), placed),
        *_time_axis(placed),
        *(_event_line(label, placed) for label in placed.labels),
        *panels.slowest_request(data, placed),
        *panels.requests(data, placed),
        *(part for label in placed.labels for part in _event_word(label, placed)),
        *(() if narrow else (_tooltip(each, placed) for each in data)),
        class_="chart",
        viewBox=f"0 0 {pixels(placed.width)} {pixels(placed.height)}",
        role="img",
    )


def picture(fault: FaultRecord) -> str:
    """The timeline of a fault as a file of its own, below its title. Raises ValueError where there
    is none."""
    drawn = timeline(fault, narrow=False)
    height = float(drawn.get("viewBox", "").split()[3]) + _HEAD
    drawn.set("xmlns", "http://www.w3.org/2000/svg")
    drawn.set("viewBox", f"0 {-_HEAD} {WIDE} {pixels(height)}")
    paper = element("rect", class_="paper", x=0, y=-_HEAD, width=WIDE, height=height, rx=6)
    title = words(fault.title, 12, 25 - _HEAD, "title")
    found = words(short(fault), 12, 46 - _HEAD, "found")
    drawn[2:2] = [element("style", STYLE), paper, title, found]
    return xml(drawn)


def _shading(lasting: float, placed: Layout) -> Iterator[Element]:
    left, right = placed.across(0), placed.across(lasting)
    parts = (
        ("banner", placed.banner, placed.banner + BANNER),
        ("fault", placed.slow, placed.slow_base),
        ("fault", placed.ok, placed.axis),
    )
    wide = max(right - left, 2)
    for kind, top, bottom in parts:
        yield element("rect", class_=kind, x=left, y=top, width=wide, height=bottom - top)
    yield line("fault-edge", left, placed.banner, left, placed.axis)
    yield line("fault-edge", right, placed.banner, right, placed.axis)
    word = f"fault, {seconds(lasting)}"
    # Inside of what it names, or else beside it.
    long = text_width(word, SIZE)
    start = left + 5 if left + 5 + long < right else min(right + 5, placed.width - 6 - long)
    yield words(word, start, placed.banner + 14, "fault-word")


def _time_axis(placed: Layout) -> Iterator[Element]:
    across = placed.across
    yield line("axis", across.start, placed.axis, across.end, placed.axis)
    for value in round_values(across.low, across.high, 6 if placed.width < WIDE else 14):
        x = across(value)
        yield line("axis", x, placed.axis, x, placed.axis + 4)
        yield words(f"{value:.6g}", x, placed.axis + 16, "tick middle")
    unit = "seconds since the fault began"
    if placed.width < WIDE:
        yield words(unit, across.end, placed.axis + 48, "tick end")
    else:
        yield words(unit, across.end, placed.axis + 32, "tick end")


def _event_line(label: Label, placed: Layout) -> Element:
    return line("event", label.line, placed.label_base(label) - 4, label.line, placed.axis)


def _event_word(label: Label, placed: Layout) -> Iterator[Element]:
    y = placed.label_base(label)
    yield element("circle", class_="event-end", cx=label.line, cy=y - 4, r=2.5)
    yield words(label.text, label.left, y, "halo")


def _tooltip(each: Bin, placed: Layout) -> Element:
    left, right = placed.across(each.begin), placed.across(each.end)
    said = (
        f"{each.begin:.1f} to {each.end:.1f} s: {each.ok:,} answered, "
        f"{each.failed:,} failed, slowest {seconds(each.slowest)}"
    )
    return element(
        "rect",
        element("title", said),
        class_="hit",
        x=left,
        y=placed.slow,
        width=right - left,
        height=placed.axis - placed.slow,
    )


def _description(fault: FaultRecord, data: Sequence[Bin]) -> str:
    parts = [f"The fault lasts {seconds(lasted(fault))}."]
    peak = max(data, key=lambda each: each.slowest or 0, default=None)
    if peak and peak.slowest:
        parts.append(f"The slowest request takes {seconds(peak.slowest)}, at {peak.begin:.1f} s.")
    if failures := [each for each in data if each.failed]:
        failed = count(sum(each.failed for each in failures), "request")
        span = f"{failures[0].begin:.1f} s and {failures[-1].end:.1f} s"
        parts.append(f"{failed} failed, between {span}.")
    parts += [f"At {event.at:.1f} s: {event.what}." for event in in_order(fault)]
    return " ".join(parts)
