"""The stories that the tests of this directory read; all begin with the first test that asks."""

from collections.abc import Iterator

import pytest

from lab.tests.engine.program.plots import (
    balancing,
    guarding,
    permitting,
    replacing,
    resizing,
    resuming,
    resuming_everywhere,
)
from lab.tests.engine.program.story import Story
from lab.tests.engine.program.workbench import Workbench


@pytest.fixture(scope="session")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Story]]:
    """All stories; they run side by side."""
    told = {
        plot.__name__: Story(plot, Workbench(tmp_path_factory.mktemp(plot.__name__)))
        for plot in (resizing, replacing, guarding, balancing, permitting)
    }
    yield told
    for story in told.values():
        story.close()


@pytest.fixture(scope="session")
def resized(stories: dict[str, Story]) -> Story:
    return stories["resizing"]


@pytest.fixture(scope="session")
def replaced(stories: dict[str, Story]) -> Story:
    return stories["replacing"]


@pytest.fixture(scope="session")
def guarded(stories: dict[str, Story]) -> Story:
    return stories["guarding"]


@pytest.fixture(scope="session")
def balanced(stories: dict[str, Story]) -> Story:
    return stories["balancing"]


@pytest.fixture(scope="session")
def permitted(stories: dict[str, Story]) -> Story:
    return stories["permitting"]


@pytest.fixture(scope="session")
def resumed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A story that is told on request only (`-m matrix`)."""
    story = Story(resuming, Workbench(tmp_path_factory.mktemp("resuming")))
    yield story
    story.close()


@pytest.fixture(scope="session")
def resumed_everywhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    """A story that is told on request only (`-m matrix`)."""
    story = Story(resuming_everywhere, Workbench(tmp_path_factory.mktemp("everywhere")))
    yield story
    story.close()


@pytest.fixture(scope="session", autouse=True)
def _told_early(request: pytest.FixtureRequest) -> None:
    """Begin the stories with the first test of this directory, if any test reads them: they take
    minutes, most of which is waiting that other tests can use."""
    wanted = (getattr(item, "fixturenames", ()) for item in request.session.items)
    if any("stories" in names for names in wanted):
        request.getfixturevalue("stories")
