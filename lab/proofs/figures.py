"""Figures that proofs measured: kept as JSON, shown as a table."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from lab.atomic_file import write_atomically


@dataclass(frozen=True)
class Figure:
    """One measured value."""

    proof: str
    """What was measured in: `boot`, `resize`, ..."""
    what: str
    value: float
    unit: str


class Figures:
    """Collects figures; a later one of the same name takes the place of an earlier one."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str], Figure] = {}

    def add(self, proof: str, what: str, value: float, unit: str = "s") -> None:
        """Note a figure."""
        self._found[proof, what] = Figure(proof, what, round(value, 1), unit)

    def list(self) -> list[Figure]:
        """All of them, in the order in which they were first noted."""
        return [*self._found.values()]

    def save(self, path: Path) -> None:
        """Write them as a JSON list of objects."""
        text = json.dumps([asdict(figure) for figure in self.list()], indent=1)
        write_atomically(path, text + "\n", 0o644)

    def table(self) -> Table:
        """A row per figure."""
        grid = Table("proof", "figure", title="Figures", title_justify="left")
        grid.add_column("value", justify="right")
        for figure in self.list():
            grid.add_row(figure.proof, figure.what, f"{figure.value:g} {figure.unit}")
        return grid
