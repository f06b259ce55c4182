"""Scenarios that the tests of this directory read; all begin with the first test of it."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.program.scenarios import SCENARIOS, resuming, resuming_everywhere
from lab.tests.engine.program.workbench import Workbench


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run what reads no scenario while the scenarios run, and this directory's own tests first,
    since they start them."""

    def place(item: pytest.Item) -> int:
        if "scenarios" in getattr(item, "fixturenames", ()):
            return 2
        return 0 if Path(__file__).parent in item.path.parents else 1

    items.sort(key=place)


@pytest.fixture(scope="session")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, ScenarioRun]]:
    """All scenarios of every run, at the same time."""
    with ExitStack() as stack:
        yield {
            scenario.__name__: stack.enter_context(
                closing(
                    ScenarioRun(scenario, Workbench(tmp_path_factory.mktemp(scenario.__name__)))
                )
            )
            for scenario in SCENARIOS
        }


@pytest.fixture(scope="session", autouse=True)
def _started_early(request: pytest.FixtureRequest) -> None:
    """Start the scenarios, if any test reads them: most of their minutes is waiting that other
    tests can use."""
    wanted = (getattr(item, "fixturenames", ()) for item in request.session.items)
    if any("scenarios" in names for names in wanted):
        request.getfixturevalue("scenarios")


@pytest.fixture(scope="session")
def resized(scenarios: dict[str, ScenarioRun]) -> ScenarioRun:
    return scenarios["resizing"]


@pytest.fixture(scope="session")
def replaced(scenarios: dict[str, ScenarioRun]) -> ScenarioRun:
    return scenarios["replacing"]


@pytest.fixture(scope="session")
def guarded(scenarios: dict[str, ScenarioRun]) -> ScenarioRun:
    return scenarios["guarding"]


@pytest.fixture(scope="session")
def permitted(scenarios: dict[str, ScenarioRun]) -> ScenarioRun:
    return scenarios["permitting"]


@pytest.fixture(scope="session")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScenarioRun]:
    """On request only (`-m matrix`)."""
    with closing(ScenarioRun(resuming, Workbench(tmp_path_factory.mktemp("resuming")))) as run:
        yield run


@pytest.fixture(scope="session")
def resumed_everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScenarioRun]:
    """On request only (`-m matrix`)."""
    bench = Workbench(tmp_path_factory.mktemp("everywhere"))
    with closing(ScenarioRun(resuming_everywhere, bench)) as run:
        yield run
