"""One run of `pulumi up`, watched."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO

from rich.console import Console

from lab.engine import Engine
from lab.errors import LabError
from lab.processes import identify
from lab.stack import strays
from lab.stack.events import Tally
from lab.stack.progress import Display, display
from lab.workspace import STACK, Workspace

POLL_SECONDS = 0.1


class InterruptedUpdateError(Exception):
    """The update was stopped on request."""


def run(
    workspace: Workspace, engine: Engine, environment: Mapping[str, str], console: Console
) -> Tally:
    """Preview and update the stack; raises LabError with Pulumi's own diagnostics."""
    with _private(workspace.events), _private(workspace.update_log) as log:
        # --event-log is among the commands that Pulumi hides unless asked.
        process = subprocess.Popen(
            [
                *(str(engine.pulumi), "up", "--yes", "--stack", STACK, "--non-interactive"),
                *("--color", "never", "--suppress-outputs", "--event-log", str(workspace.events)),
            ],
            cwd=workspace.project,
            env={**environment, strays.MARK: str(workspace.state), "PULUMI_DEBUG_COMMANDS": "true"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # Out of the terminal's reach: a Ctrl-C must arrive once, by way of _passing_on.
            start_new_session=True,
        )
        identity = identify(process.pid)
        if identity:
            identity.save(workspace.update)
        with process, _passing_on(process, console) as asked, display(console) as shown:
            tally = _watch(process, workspace.events, shown)
        if process.returncode < 0:  # killed: nobody told its hosts to end
            strays.stop(workspace.state)
        workspace.update.unlink(missing_ok=True)
    if asked:
        raise InterruptedUpdateError
    if process.returncode:
        raise LabError(_failure(tally, workspace.update_log))
    return tally


def _watch(process: subprocess.Popen[bytes], events: Path, shown: Display) -> Tally:
    tally = Tally()
    with events.open(encoding="utf-8") as log:
        partial = ""
        while True:
            ended = process.poll() is not None
            partial = _take(log, partial, tally, shown)
            if ended:
                return tally
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
def _private(path: Path) -> Iterator[IO[bytes]]:
    """An empty file that only its owner may read."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        yield file
