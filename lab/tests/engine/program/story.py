"""A long sequence of commands on one lab, told in a thread; tests wait for its chapters.

Most of an update is waiting for the cloud, so two stories take hardly longer than one.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from lab.tests.engine.program.steps import Step
from lab.tests.engine.program.workbench import Finished, Workbench
from lab.tests.engine.program.world import Sample, World, observe


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A command, and what was there after it."""

    command: Finished
    steps: tuple[Step, ...] = ()
    world: World
    state: list[dict[str, Any]]
    """The stack's resources."""
    samples: tuple[Sample, ...] = ()

    @property
    def status(self) -> int:
        return self.command.status

    @property
    def text(self) -> str:
        return self.command.text


def chapter(
    bench: Workbench, command: Finished, samples: tuple[Sample, ...] | list[Sample] = ()
) -> Chapter:
    """A command and the account as it is now."""
    return Chapter(
        command=command,
        steps=getattr(command, "steps", ()),
        world=observe(bench.clients),
        state=bench.state(),
        samples=tuple(samples),
    )


def kept(told: Chapter) -> list[dict[str, Any]]:
    """The state's resources without what every update encrypts anew."""
    keys = ("urn", "id", "protect", "delete", "pendingReplacement", "resourceHooks", "created")
    return sorted(
        ({key: resource.get(key) for key in keys} for resource in told.state),
        key=lambda resource: (resource["urn"], resource["id"] or ""),
    )


Plot = Callable[[Workbench], Iterator[tuple[str, Any]]]
"""Yields what happened, by name."""


class Story:
    """The chapters of a plot, as they come."""

    def __init__(self, plot: Plot, bench: Workbench) -> None:
        self._plot, self.bench = plot, bench
        self._chapters: dict[str, Any] = {}
        self._changed = threading.Condition()
        self._ended = False
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._tell, name=plot.__name__, daemon=True)
        self._thread.start()

    def __getitem__(self, name: str) -> Any:
        """Wait for a chapter. A story that broke off before it fails every test that reads on."""
        with self._changed:
            self._changed.wait_for(lambda: name in self._chapters or self._ended)
            if name not in self._chapters:
                message = f"the story {self._plot.__name__} ended before {name!r}"
                raise AssertionError(message) from self._error
            return self._chapters[name]

    def end(self) -> "Story":
        """Wait until it was told to its end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended)
        return self

    def close(self) -> None:
        """End the story wherever it is, and its lab."""
        self.bench.close()
        self._thread.join()

    def _tell(self) -> None:
        try:
            for name, told in self._plot(self.bench):
                with self._changed:
                    self._chapters[name] = told
                    self._changed.notify_all()
                if self.bench.closed:
                    break
        except BaseException as error:
            self._error = error
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()
