"""Run of faults under load, as its JSON file has it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import (
    FiniteFloat,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from lab.errors import LabError

ALL = "all"
"""Key of the summary of every kind of client together."""

Percentiles = tuple[FiniteFloat | None, FiniteFloat | None, FiniteFloat | None]
"""Milliseconds before, during and after the fault."""


@dataclass(frozen=True)
class Machine:
    """What the run was measured on."""

    cores: int
    memory_gib: float
    kernel: str
    load: str


@dataclass(frozen=True)
class Versions:
    """What was measured."""

    kubernetes: str
    etcd: str


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    at: FiniteFloat
    """Seconds since the fault began; negative before it."""
    what: str


@dataclass(frozen=True)
class Summary:
    """Requests of one kind of client."""

    requests: NonNegativeInt
    failed: NonNegativeInt
    stall: NonNegativeFloat
    """Seconds of the longest time in which no write of any of them succeeded."""
    longest: NonNegativeFloat
    """Longest request, in seconds."""
    p50: Percentiles
    p99: Percentiles


@dataclass(frozen=True)
class Timeline:
    """Requests by time, in bins of equal length. A bin without data is None, or not there."""

    step: PositiveFloat
    """Length of a bin in seconds."""
    begin: FiniteFloat
    """Beginning of the first bin, in seconds since the fault began."""
    ok: list[NonNegativeInt | None]
    """Requests that ended with success in the bin."""
    failed: list[NonNegativeInt | None]
    """Requests that ended with a failure in the bin."""
    slowest: list[NonNegativeFloat | None]
    """Seconds of the longest request that started in the bin; 0 when none did."""


@dataclass(frozen=True)
class FaultRecord:
    """A fault: what is claimed of it, what happened, and what clients saw of it."""

    name: Annotated[str, StringConstraints(pattern="^[a-z0-9-]+$")]
    """Also the anchor of its section."""
    title: str
    claim: str
    goal_seconds: PositiveFloat | None
    """Longest stall that is still as claimed; None where nothing is promised."""
    limit: str
    """Where the goal comes from."""
    elsewhere: str
    """What other wirings do."""
    began: FiniteFloat
    """Unix time."""
    ended: FiniteFloat
    """Unix time."""
    events: list[Event]
    summaries: dict[str, Summary]
    lost: NonNegativeInt
    """Acknowledged writes that were gone afterwards."""
    stale: NonNegativeInt
    """Reads that were older than they may be."""
    linearizable: bool
    timeline: Timeline


@dataclass(frozen=True)
class Run:
    """All faults of a run, and on what it was measured."""

    commit: str
    date: str
    machine: Machine
    versions: Versions
    command: str
    faults: list[FaultRecord]


def read(path: Path) -> Run:
    """The run in a file. Raises LabError when there is none, or none that can be shown."""
    try:
        run = TypeAdapter(Run).validate_json(path.read_bytes())
    except OSError as error:
        raise LabError(f"{path} cannot be read: {error.strerror}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise LabError(f"{path} is no run of faults: {where}: {first['msg']}.") from error
    names = [fault.name for fault in run.faults]
    if not names:
        raise LabError(f"{path} has no fault.")
    if len(set(names)) < len(names):
        raise LabError(f"{path} has two faults of one name.")
    return run
