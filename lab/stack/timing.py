"""Timing of the parts of a run."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.atomic_file import write_atomically


class Timing:
    """Seconds by part, in the order in which the parts ran."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time what is done meanwhile; what fails is not counted."""
        began = time.monotonic()
        yield
        self.seconds[name] = time.monotonic() - began

    def save(self, path: Path) -> None:
        """Keep them in a file."""
        rounded = {name: round(seconds, 1) for name, seconds in self.seconds.items()}
        write_atomically(path, json.dumps(rounded, indent=1) + "\n")

    def __str__(self) -> str:
        """For people: `engine 0 s, pulumi up 153 s`."""
        return ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self.seconds.items())
