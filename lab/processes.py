"""Processes that outlive the command that started them: who they are, whether they live, how they
are stopped.

A process id alone is not enough: after a reboot or a crash the number may belong to a stranger, who
must not be stopped. The time at which the kernel started it tells them apart.
"""

import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import psutil

from lab.atomic_file import write_atomically


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: str
    """When it was started, in seconds: since the boot on Linux, since 1970 elsewhere."""

    def alive(self) -> bool:
        """Whether this very process still runs."""
        return _started(self.pid) == self.started

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.alive():
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def stop(self, patience: float, first: signal.Signals = signal.SIGTERM) -> None:
        """Ask it to end; kill it after `patience` seconds."""
        self.send(first)
        if not self.ended(patience):
            self.send(signal.SIGKILL)
            self.ended(patience=5)

    def ended(self, patience: float) -> bool:
        """Wait for its end for `patience` seconds at most; whether it came."""
        deadline = time.monotonic() + patience
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def save(self, path: Path) -> None:
        """Write it to a file."""
        write_atomically(path, json.dumps(asdict(self)))

    @classmethod
    def load(cls, path: Path) -> Self | None:
        """The process of a file if that very process still runs.

        A missing, broken or outdated file is None.
        """
        try:
            identity = cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return identity if identity.alive() else None


def identify(pid: int) -> ProcessIdentity | None:
    """The identity of a running process; None when there is none."""
    started = _started(pid)
    return None if started is None else ProcessIdentity(pid, started)


def marked(variable: str, value: str) -> list[ProcessIdentity]:
    """Own processes whose environment holds `variable=value`."""
    found = []
    for pid in psutil.pids():
        try:
            marks = psutil.Process(pid).environ()
        except psutil.Error:  # another user's, or gone by now
            continue
        identity = identify(pid) if marks.get(variable) == value else None
        if identity:
            found.append(identity)
    return found


def command(pid: int) -> str | None:
    """The name of a running process's program; None when there is no such process."""
    try:
        return psutil.Process(pid).name()
    except psutil.Error:
        return None


def _started(pid: int) -> str | None:
    try:
        process = psutil.Process(pid)
        if process.status() in {psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD}:
            return None
        # On Linux the kernel counts from the boot, whose time moves whenever the clock is set.
        boot = psutil.boot_time() if psutil.LINUX else 0.0
        return f"{process.create_time() - boot:.2f}"
    except psutil.Error:
        return None
