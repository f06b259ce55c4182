"""Rows of labels above a chart, each beside its own vertical line, none over another."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

GAP = 8.0
"""Pixels between two labels in a row."""
OFFSET = 5.0
"""Pixels between a line and its label."""


@dataclass(frozen=True)
class Label:
    """A label in its place. All lengths are pixels."""

    text: str
    line: float
    """Where its line is."""
    left: float
    """Where its text begins."""
    width: float
    row: int
    """0 is next to the chart."""

    @property
    def right(self) -> float:
        """Where its text ends."""
        return self.left + self.width


def text_width(text: str, size: float) -> float:
    """Width of a text in pixels, rather too wide: fonts differ from one browser to the next."""
    ems = sum(1.0 if unicodedata.east_asian_width(char) in "WF" else 0.58 for char in text)
    return ems * size


def fitting(text: str, size: float, room: float) -> str:
    """A text that is cut off where the room for it ends."""
    if text_width(text, size) <= room:
        return text
    while text and text_width(f"{text}\N{HORIZONTAL ELLIPSIS}", size) > room:
        text = text[:-1]
    return f"{text.rstrip()}\N{HORIZONTAL ELLIPSIS}"


def label_rows(
    wanted: Sequence[tuple[float, str]], left: float, right: float, size: float
) -> list[Label]:
    """Place labels, given their lines and texts, between two edges; in the order given.

    A text is on the right of its line, or on the left where it would go over the edge. It takes the
    lowest row where it is over no other text and, where that is possible, no line goes through it.
    """
    floating = [
        _beside(line, fitting(text, size, right - left), left, right, size) for line, text in wanted
    ]
    placed: dict[int, Label] = {}
    while len(placed) < len(floating):
        waiting = [index for index in range(len(floating)) if index not in placed]
        # First those through which the fewest lines of others would go, the last of them first.
        index = min(
            waiting,
            key=lambda one: (
                sum(_crosses(floating[other], floating[one]) for other in waiting),
                -one,
            ),
        )
        placed[index] = _lowered(floating[index], list(placed.values()))
    return [placed[index] for index in range(len(floating))]


def _beside(line: float, text: str, left: float, right: float, size: float) -> Label:
    width = text_width(text, size)
    start = line + OFFSET
    if start + width > right:
        start = line - OFFSET - width
    return Label(text, line, min(max(start, left), max(right - width, left)), width, 0)


def _crosses(upper: Label, lower: Label) -> bool:
    """Whether the line of an upper label would go through the text of a lower one."""
    return upper.line != lower.line and lower.left < upper.line < lower.right


def _overlaps(one: Label, other: Label) -> bool:
    return one.left < other.right + GAP and other.left < one.right + GAP


def _lowered(label: Label, placed: Sequence[Label]) -> Label:
    # Above each text that is in the way, and each whose line would go through this one.
    above = [other.row + 1 for other in placed if _overlaps(label, other) or _crosses(other, label)]
    return Label(label.text, label.line, label.left, label.width, max(above, default=0))
