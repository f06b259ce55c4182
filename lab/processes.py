"""Processes that outlive the command that started them: who they are, whether they live, how they
are stopped.

A process id alone is not enough: after a reboot or a crash the number may belong to a stranger, who
must not be stopped. The time at which the kernel started it tells them apart.
"""

import json
import os
import signal
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from lab.atomic_file import write_atomically

PROC = Path("/proc")


@dataclass(frozen=True)
class ProcessIdentity:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: str
    """When it was started, in the words of the system (clock ticks since boot on Linux)."""

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
    """Own processes whose environment holds `variable=value`; nothing where the system has no
    /proc."""
    entry = f"{variable}={value}".encode()
    found = []
    for environ in PROC.glob("[0-9]*/environ"):
        try:
            environment = environ.read_bytes()
        except OSError:  # another user's, or gone by now
            continue
        identity = identify(int(environ.parent.name))
        if identity and entry in environment.split(b"\0"):
            found.append(identity)
    return found


def command(pid: int) -> str | None:
    """The name of a running process's program; None when there is no such process."""
    if PROC.is_dir():
        try:
            return (PROC / str(pid) / "comm").read_text(encoding="utf-8").strip()
        except OSError:
            return None
    answer = subprocess.run(
        ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return Path(answer.stdout.strip()).name or None


def _started(pid: int) -> str | None:
    if PROC.is_dir():
        try:
            # proc(5): the command in brackets may hold spaces; state is field 3, start time field
            # 22.
            fields = (
                (PROC / str(pid) / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
            )
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    answer = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split(maxsplit=1)
    return None if len(answer) < 2 or answer[0].startswith("Z") else answer[1].strip()
