"""Update of the stack: one run of `pulumi up`, watched."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import IO

from rich.console import Console

from lab.engine.model import Engine
from lab.lab_errors import InterruptedUpdateError, LabError
from lab.processes import identify
from lab.stack import leftovers
from lab.stack.events import Tally
from lab.stack.progress import Display, display
from lab.workspace import STACK, Workspace

POLL_SECONDS = 0.1


def run(
    workspace: Workspace, engine: Engine, environment: Mapping[str, str], console: Console
) -> Tally:
    """Preview the stack, then update it, so that a program that fails changes nothing.

    Two commands rather than one: `up` alone writes its preview's events and then overwrites them.
    Raises LabError with Pulumi's own diagnostics, and InterruptedUpdateError.
    """
    tally = Tally()
    with private(workspace.update_log) as log, display(console) as shown:
        for command, events in (
            (["preview"], workspace.preview_events),
            (["up", "--yes", "--skip-preview"], workspace.events),
        ):
            step = Step(workspace, [str(engine.pulumi), *command], environment, events, log)
            step.run(tally, shown, console)
    return tally


@dataclass(frozen=True)
class Step:
    """One command of the CLI on the lab's stack."""

    workspace: Workspace
    command: list[str]
    environment: Mapping[str, str]
    events: Path
    log: IO[bytes]

    def run(self, tally: Tally, shown: Display, console: Console) -> None:
        """Run it to its end and count its events. Raises as `run` does."""
        with private(self.events):
            process = self._start()
        identity = identify(process.pid)
        if identity:
            identity.save(self.workspace.update)
        with process, _passing_on(process, console) as asked:
            _watch(process, self.events, tally, shown)
        if process.returncode < 0:  # killed: nobody told its hosts to end
            leftovers.stop_orphaned_processes(self.workspace.state)
        self.workspace.update.unlink(missing_ok=True)
        if asked:
            raise InterruptedUpdateError
        if process.returncode:
            raise LabError(_failure(tally, self.workspace.update_log))

    def _start(self) -> subprocess.Popen[bytes]:
        # --event-log is among what Pulumi hides unless asked.
        mark = {leftovers.UPDATE_MARK: str(self.workspace.state), "PULUMI_DEBUG_COMMANDS": "true"}
        return subprocess.Popen(
            [
                *self.command,
                *("--stack", STACK, "--non-interactive", "--color", "never"),
                *("--suppress-outputs", "--event-log", str(self.events)),
            ],
            cwd=self.workspace.project,
            env={**self.environment, **mark},
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            # Out of the terminal's reach: a Ctrl-C must arrive once, by way of _passing_on.
            start_new_session=True,
        )


def _watch(process: subprocess.Popen[bytes], events: Path, tally: Tally, shown: Display) -> None:
    with events.open(encoding="utf-8") as log:
        partial = ""
        while True:
            ended = process.poll() is not None
            partial = _take(log, partial, tally, shown)
            if ended:
                return
            time.sleep(POLL_SECONDS)


def _take(log: IO[str], partial: str, tally: Tally, shown: Display) -> str:
    """Count the whole lines that were added; give back the beginning of an unfinished one."""
    *lines, rest = (partial + log.read()).split("\n")
    for line in lines:
        shown.show(tally, tally.take(json.loads(line)))
    return rest


@contextmanager
def _passing_on(process: subprocess.Popen[bytes], console: Console) -> Iterator[list[int]]:
    """Pass the first interrupt on, which lets running operations end; the second one kills."""
    asked: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        if len(asked) == 1:
            process.send_signal(signal.SIGINT)
            console.print("Waiting for running operations; once more to kill them.")
        else:
            process.kill()

    before = {one: signal.signal(one, handle) for one in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _failure(tally: Tally, log: Path) -> str:
    reasons = "\n".join(tally.errors) or log.read_text(encoding="utf-8").strip()
    return f"The update failed:\n{reasons}\nThe whole output is in {log}."


@contextmanager
def private(path: Path) -> Iterator[IO[bytes]]:
    """An empty file that only its owner may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        yield file
