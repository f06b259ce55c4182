"""Scenario that runs in a thread: a sequence of commands on one lab, for whose results tests wait.

Most of an update is waiting for the cloud, so two scenarios take hardly longer than one.
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

from lab.tests.engine.program.workbench import Workbench

Scenario = Callable[[Workbench], Iterator[tuple[str, Any]]]
"""Yields each result with its name."""


class ScenarioRun:
    """Results of a scenario, as they come."""

    def __init__(self, scenario: Scenario, bench: Workbench) -> None:
        self._scenario, self.bench = scenario, bench
        self._results: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=scenario.__name__, daemon=True)
        self._thread.start()

    def __getitem__(self, name: str) -> Any:
        """Wait for a result. A scenario that failed before it fails every test that waits."""
        with self._changed:
            self._changed.wait_for(lambda: name in self._results or self._ended)
            if name not in self._results:
                message = f"the scenario {self._scenario.__name__} ended before {name!r}"
                raise AssertionError(message) from self._error
            return self._results[name]

    def wait(self) -> "ScenarioRun":
        """Wait for its end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended)
        return self

    def close(self) -> None:
        """End the scenario wherever it is, and its lab."""
        self.bench.close()
        self._thread.join()

    def _run(self) -> None:
        try:
            for name, result in self._scenario(self.bench):
                with self._changed:
                    self._results[name] = result
                    self._changed.notify_all()
                if self.bench.closed:
                    break
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
