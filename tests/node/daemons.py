"""Real daemons as child processes: each with a log of its own, and a hostname where one is given."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

# Ends with the test run that started it, however that ends. And what `unshare --uts` and
# hostname(1) do: daemons read the hostname when they start. Without root that takes a name space
# of users besides.
_LAUNCHER = """
import ctypes, os, signal, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.prctl(1, signal.SIGKILL)
if sys.argv[1]:
    if libc.unshare(0x04000000 | (0 if os.geteuid() == 0 else 0x10000000)):
        sys.exit("no hostname of its own: " + os.strerror(ctypes.get_errno()))
    socket.sethostname(sys.argv[1])
os.execvp(sys.argv[2], sys.argv[2:])
"""


@dataclass
class Daemon:
    """A process and its log."""

    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def alive(self) -> bool:
        return self.process.poll() is None

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal, and wait until the process is gone."""
        if self.alive():
            self.process.send_signal(how)
        self.process.wait(30)


def start(
    command: Sequence[str | Path],
    log: Path,
    hostname: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> Daemon:
    """Start a program, which keeps its process id."""
    launcher = [sys.executable, "-S", "-c", _LAUNCHER, hostname or ""]
    with log.open("ab") as file:
        process = subprocess.Popen(
            [*launcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **(environment or {})},
        )
    return Daemon(process, log)


def wait_until(done: Callable[[], bool], what: str, *daemons: Daemon, seconds: float = 180) -> None:
    """Wait until something is so; fails with the ends of the logs when it takes too long."""
    give_up = time.monotonic() + seconds
    while not done():
        gone = [daemon for daemon in daemons if not daemon.alive()]
        if gone or time.monotonic() > give_up:
            ends = "\n".join(
                f"{d.log}:\n{d.log.read_text(errors='replace')[-1500:]}" for d in gone or daemons
            )
            pytest.fail(f"{'died before' if gone else 'not in time:'} {what}\n{ends}")
        time.sleep(0.05)
