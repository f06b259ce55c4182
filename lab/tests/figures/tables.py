"""Markdown tables."""

from collections.abc import Iterable, Sequence


def table(title: str, head: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    """A table below its title."""
    return f"### {title}\n\n{rows(head, body)}"


def rows(head: Sequence[str], body: Iterable[Sequence[object]]) -> str:
    """A table."""
    lines = [_line(head), _line(["---"] * len(head))]
    lines += [_line([str(cell) for cell in row]) for row in body]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
