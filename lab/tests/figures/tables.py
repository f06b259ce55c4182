"""Markdown tables."""

from collections.abc import Iterable, Sequence


def table(title: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table below its title."""
    lines = [f"### {title}", "", _line(head), _line(["---"] * len(head))]
    lines += [_line([str(cell) for cell in row]) for row in rows]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
