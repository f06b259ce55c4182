"""The engine that every test of this directory shares: built once, cached for the user."""

import pytest

from lab.engine import Engine, provide


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine whose state lives and dies with the test session."""
    return provide(tmp_path_factory.mktemp("engine"), print)
