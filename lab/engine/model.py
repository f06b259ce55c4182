"""Engine, as the lab is given it, and its error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.lab_errors import LabError

Report = Callable[[str], None]
"""Receives one line of progress for a person."""


class EngineError(LabError):
    """The engine cannot be provided; the message is one sentence that says what to do."""


class RefusedError(Exception):
    """A call of the engine cannot be answered; the message is for the person who runs it."""


@dataclass(frozen=True)
class Engine:
    """A Pulumi engine that is ready to run a Python program."""

    pulumi: Path
    """The CLI that will be used."""
    environment: Mapping[str, str]
    """What must be added to the environment of the CLI; PATH already holds the caller's own."""
    sources: Mapping[str, str]
    """For people: what each part is and where it came from."""
