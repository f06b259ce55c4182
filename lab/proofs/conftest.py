"""One lab for all proofs, and the figures that they find."""

from collections.abc import Iterator
from concurrent.futures import wait
from pathlib import Path

import pytest
from rich.console import Console

from lab.lab_errors import LabError
from lab.machines import requirements
from lab.proofs.etcd_resizing import SMALL, Resizing, resizing
from lab.proofs.figures import Figures
from lab.proofs.joined_workers import Worker, settled
from lab.proofs.lab_session import LabSession
from lab.proofs.load.collected_run import collected, commit_of, save, this_machine
from lab.proofs.load.fault_record import FaultRecord
from lab.proofs.load.fault_run import KEPT, Versions
from lab.proofs.polling import until
from lab.proofs.stack_settings import settings
from lab.running import fault_injection
from lab.workspace import ROOT, Workspace

FIGURES = pytest.StashKey[Figures]()
REPORT = Path("build/proofs.json")
"""Below the project's directory."""
FAULTS_AGAIN = "make proofs"
"""Command that measures faults."""
LONG = f"takes long: `{FAULTS_AGAIN}`"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Which lab, and whether it may go."""
    group = parser.getgroup("lab")
    group.addoption("--lab-project", type=Path, default=ROOT)
    group.addoption("--lab-state", type=Path, default=ROOT / ".lab")
    group.addoption("--destroy", action="store_true", help="the lab may go: prove that it can")
    group.addoption("--failures", action="store_true", help="every failure, and longer")
    group.addoption(
        "--random-seconds", type=float, default=120, help="how long random faults go on: 120"
    )
    group.addoption("--seed", type=int, help="repeats the random faults of a run")


def pytest_configure(config: pytest.Config) -> None:
    """Begin without figures."""
    config.stash[FIGURES] = Figures()


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
def fault_records(workspace: Workspace) -> Iterator[list[FaultRecord]]:
    """Where proofs of faults put what they recorded; kept as a run in the end."""
    records: list[FaultRecord] = []
    yield records
    if records:
        used = settings(workspace)
        run = collected(
            records,
            commit=commit_of(workspace.project),
            machine=this_machine(),
            versions=Versions(used.kubernetes_version, used.etcd.version),
            command=FAULTS_AGAIN,
        )
        save(run, workspace.project / KEPT)


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


@pytest.fixture
def whole(session: LabSession) -> Iterator[None]:
    """A proof that begins with a cluster that is whole, and leaves no fault."""
    until("the cluster is ready", session.ready)
    yield
    fault_injection.heal(session.lab)


@pytest.fixture(scope="session")
def resizing_begun(
    request: pytest.FixtureRequest,
    session: LabSession,
    workspace: Workspace,
    figures: Figures,
    *,
    every_failure: bool,
) -> Iterator[Resizing | None]:
    """The resizing that is under way, or None where no proof of this run asks for one.

    Other proofs wait for it where every failure is proved: their figures are published.
    """
    asked = any("resizing_done" in getattr(i, "fixturenames", ()) for i in request.session.items)
    if not asked or len(session.nodes("etcd")) != SMALL:
        yield None
        return
    with resizing(session, workspace, figures) as begun:
        if every_failure:
            wait([begun.restored])
        yield begun


@pytest.fixture(scope="module")
def workers(session: LabSession) -> list[Worker]:
    """The workers, once all of them are ready; skips where the stack has none."""
    found = settled(session)
    if not found:
        pytest.skip("the stack has no workers")
    return found


@pytest.fixture(scope="session")
def may_destroy(pytestconfig: pytest.Config) -> None:
    """Skips where the lab is to stay."""
    if not pytestconfig.getoption("--destroy"):
        pytest.skip("the lab is to stay up: `make prove` destroys one")


@pytest.fixture(scope="session")
def takes_long(*, every_failure: bool) -> None:
    """Skips what a plain run has no time for."""
    if not every_failure:
        pytest.skip(LONG)


@pytest.fixture(scope="session")
def every_failure(pytestconfig: pytest.Config) -> bool:
    """Whether every failure is to be proved, and for longer, or a few."""
    return bool(pytestconfig.getoption("--failures"))
