"""Run of faults, as its JSON file has it."""

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from lab.lab_errors import LabError
from lab.proofs.load.fault_record import FaultRecord

KEPT = Path("build/failover.json")
"""Where a run is kept, below the project's directory."""


@dataclass(frozen=True)
class Machine:
    """What the run was measured on."""

    cores: int
    memory_gib: float
    kernel: str
    load: str
    """Load averages, in words."""


@dataclass(frozen=True)
class Versions:
    """What was measured."""

    kubernetes: str
    etcd: str


@dataclass(frozen=True)
class Run:
    """All faults of a run, and on what it was measured."""

    commit: str
    date: str
    machine: Machine
    versions: Versions
    command: str
    """How to measure again."""
    faults: list[FaultRecord]

    def to_json(self) -> str:
        """The run as JSON, of one line per value."""
        return _RUN.dump_json(self, indent=1).decode() + "\n"


_RUN = TypeAdapter(Run)


def read(path: Path) -> Run:
    """The run in a file. Raises LabError when there is none, or none that can be shown."""
    try:
        run = _RUN.validate_json(path.read_bytes())
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
