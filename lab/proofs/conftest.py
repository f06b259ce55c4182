"""One lab for all proofs, and the figures that they find."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from lab.errors import LabError
from lab.machines import requirements
from lab.proofs.figures import Figures
from lab.proofs.lab_session import LabSession
from lab.proofs.load.fault_record import FaultRecord
from lab.running import fault_injection
from lab.workspace import ROOT, Workspace

FIGURES = pytest.StashKey[Figures]()
FAILOVERS = pytest.StashKey["Failovers"]()
REPORT = Path("build/proofs.json")
"""Below the project's directory."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which lab, and whether it may go."""
    group = parser.getgroup("lab")
    group.addoption("--lab-project", type=Path, default=ROOT)
    group.addoption("--lab-state", type=Path, default=ROOT / ".lab")
    group.addoption("--destroy", action="store_true", help="the lab may go: prove that it can")
    group.addoption("--failures", action="store_true", help="every failure, and longer")


def pytest_configure(config: pytest.Config) -> None:
    """Begin without figures."""
    config.stash[FIGURES] = Figures()
    config.stash[FAILOVERS] = Failovers(all_of_them=config.getoption("--failures"))


def pytest_terminal_summary(config: pytest.Config) -> None:
    """Show the figures, and keep them."""
    figures = config.stash[FIGURES]
    if figures.list():
        report = config.getoption("--lab-project") / REPORT
        report.parent.mkdir(exist_ok=True)
        figures.save(report)
        Console(highlight=False).print(figures.table(), f"kept in {report}")


@pytest.fixture(scope="session")
def workspace(pytestconfig: pytest.Config) -> Workspace:
    """The lab's directories."""
    options = (pytestconfig.getoption(name) for name in ("--lab-project", "--lab-state"))
    return Workspace(*(path.resolve() for path in options))


@pytest.fixture(scope="session")
def figures(pytestconfig: pytest.Config) -> Figures:
    """Where proofs note what they measured."""
    return pytestconfig.stash[FIGURES]


@pytest.fixture(scope="session")
def session(workspace: Workspace) -> Iterator[LabSession]:
    """The lab, without faults from whatever was tried on it before."""
    if reason := requirements.problem():
        pytest.skip(reason)
    try:
        taken = LabSession.take(workspace)
    except LabError as error:
        pytest.fail(f"there is no lab to prove anything on: {error}")
    fault_injection.heal(taken.lab)
    try:
        yield taken
    finally:
        taken.release()


@pytest.fixture(scope="session")
def may_destroy(pytestconfig: pytest.Config) -> None:
    """Skips where the lab is to stay."""
    if not pytestconfig.getoption("--destroy"):
        pytest.skip("the lab is to stay up: `make prove` destroys one")


class Failovers:
    """Faults that were inflicted, and whether all are to be."""

    WHY_NOT = "takes long: `make proofs`"

    def __init__(self, *, all_of_them: bool) -> None:
        self.all = all_of_them
        self.records: list[FaultRecord] = []

    def add(self, record: FaultRecord) -> None:
        """Note what a fault did."""
        self.records.append(record)


@pytest.fixture(scope="session")
def failovers(pytestconfig: pytest.Config) -> Failovers:
    """Where proofs note what became of a fault."""
    return pytestconfig.stash[FAILOVERS]
