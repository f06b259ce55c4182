"""Command that publishes a run: `python -m lab.proofs.report RUN.json`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.atomic_file import write_atomically
from lab.lab_errors import LabError
from lab.proofs.load.fault_record import FaultRecord
from lab.proofs.load.fault_run import Run, read
from lab.proofs.report.markdown import with_part
from lab.proofs.report.page import page
from lab.proofs.report.timeline_svg import picture
from lab.workspace import ROOT


def main(arguments: Sequence[str] | None = None) -> int:
    """Write page, document and picture, all or none unless the disk is full."""
    parser = argparse.ArgumentParser("python -m lab.proofs.report", description=__doc__)
    parser.add_argument("run", type=Path, help="JSON file of a run of faults")
    parser.add_argument("--picture", metavar="NAME", help="fault of the picture; the slowest")
    parser.add_argument("--docs", type=Path, default=ROOT / "docs", help="where to write to")
    options = parser.parse_args(arguments)
    try:
        written = _written(read(options.run), options.picture, options.docs)
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    for path, text in written.items():
        write_atomically(path, text, 0o644)
        print(path)
    return 0


def _written(run: Run, pictured: str | None, docs: Path) -> dict[Path, str]:
    proofs = docs / "proofs.md"
    try:
        document = proofs.read_text()
    except OSError as error:
        raise LabError(f"{proofs} cannot be read: {error.strerror}.") from error
    return {
        docs / "failover.html": page(run),
        proofs: with_part(document, run),
        docs / "images" / "failover.svg": picture(_pictured(run, pictured)),
    }


def _pictured(run: Run, name: str | None) -> FaultRecord:
    """The fault of the picture. Raises LabError when the run has no timeline of that name."""
    drawn = [fault for fault in run.faults if fault.timeline]
    if not drawn:
        raise LabError("The run has no fault under load, of which a picture could be.")
    if name is None:
        return max(drawn, key=lambda fault: fault.measures[0].seconds)
    for fault in drawn:
        if fault.name == name:
            return fault
    names = ", ".join(fault.name for fault in drawn)
    raise LabError(f"The run has no timeline of a fault {name}; it has {names}.")


if __name__ == "__main__":
    sys.exit(main())
