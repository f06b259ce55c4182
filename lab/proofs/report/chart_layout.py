"""Layout of a timeline: where its parts are, in pixels, from the events to the axis of time."""

from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from lab.proofs.load.fault_record import Event, FaultRecord
from lab.proofs.report.bins import Bin
from lab.proofs.report.label_rows import Label, label_rows
from lab.proofs.report.markup import element
from lab.proofs.report.scales import Scale

WIDE, NARROW = 960, 360
"""Widths for a desktop and a phone."""
LEFT, RIGHT = 44, 10
"""Room beside the panels; values stand on the left."""
SIZE = 12.0
"""Of letters, as in `timeline.css`."""
BANNER = 20
"""Height of the words that the fault began."""

_ROW = 17
_SLOW, _OK, _FAILED = 92, 72, 26
_HEADING = 27


@dataclass(frozen=True)
class Layout:
    """Where everything is; the parts are from top to bottom."""

    width: float
    labels: Sequence[Label]
    """Of the events."""
    across: Scale
    """From seconds since the fault began."""

    @property
    def banner(self) -> float:
        """Top of the words that the fault began."""
        return max((label.row + 1 for label in self.labels), default=0) * _ROW + 10

    @property
    def slow(self) -> float:
        """Top of the panel of the slowest request; its heading is above it."""
        return self.banner + BANNER + _HEADING

    @property
    def slow_base(self) -> float:
        """Bottom of that panel."""
        return self.slow + _SLOW

    @property
    def ok(self) -> float:
        """Top of the panel of answered requests; its heading is above it."""
        return self.slow_base + _HEADING

    @property
    def base(self) -> float:
        """Between what was answered, above, and what failed, below."""
        return self.ok + _OK

    @property
    def axis(self) -> float:
        """The axis of time, below what failed."""
        return self.base + _FAILED

    @property
    def height(self) -> float:
        """Of everything; words about failures and the axis are below the panels."""
        return self.axis + 54

    def label_base(self, label: Label) -> float:
        """Baseline of a label."""
        return self.banner - 8 - label.row * _ROW


def layout(fault: FaultRecord, data: Sequence[Bin], *, narrow: bool) -> Layout:
    """The layout of a fault's timeline. Where it is narrow, events have numbers for labels."""
    width = NARROW if narrow else WIDE
    moments = [0.0, lasted(fault), *(event.at for event in fault.events)]
    moments += [edge for each in data for edge in (each.begin, each.end)]
    low, high = min(moments), max(moments)
    across = Scale(low, high if high > low else low + 1, LEFT, width - RIGHT)
    wanted = [
        (across(event.at), f"{number}" if narrow else f"{event.at:.1f} s  {event.what}")
        for number, event in enumerate(in_order(fault), 1)
    ]
    return Layout(width, label_rows(wanted, 6, width - 6, SIZE), across)


def in_order(fault: FaultRecord) -> list[Event]:
    """The events of a fault, the earliest first."""
    return sorted(fault.events, key=lambda event: event.at)


def lasted(fault: FaultRecord) -> float:
    """Seconds from the beginning of a fault to its end."""
    return max(fault.ended - fault.began, 0.0)


def line(kind: str, x1: float, y1: float, x2: float, y2: float) -> Element:
    """A line of a class."""
    return element("line", class_=kind, x1=x1, y1=y1, x2=x2, y2=y2)


def words(text: str, x: float, y: float, kind: str) -> Element:
    """A line of text of a class."""
    return element("text", text, class_=kind, x=x, y=y)
