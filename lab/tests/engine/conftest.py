"""The engine that every test of this directory shares: built once, cached for the user."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.engine.model import Engine
from lab.engine.providing import provide
from lab.tests.engine.throwaway import accepts, free_port


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """An engine whose state lives and dies with the test session."""
    return provide(tmp_path_factory.mktemp("engine"), print)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    port = free_port()
    command = [str(Path(sys.prefix) / "bin/moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not accepts(port):
            assert server.poll() is None, "moto ended"
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()
