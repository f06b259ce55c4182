"""Rounds of the agent: `reconcile` every half minute and `report` after it, for as long as the
machine runs.

Each run is a process of its own, and begins as a new program would: whatever it learns, leaks or
breaks ends with it. But it is forked from this one, which has read what all of them need: to import
boto3 and its descriptions of services took three fifths of the processor time of a run, twice in
half a minute, on machines that are often small and have only so much of it.
"""

import gc
import os
import signal
import sys
import time
from dataclasses import dataclass
from importlib import import_module
from typing import NoReturn

from node import cli
from node.contract import INTERVAL_SECONDS
from node.machine import Machine
from node.settings import Settings

LIMITS = {"reconcile": 6 * 3600, "report": 90}
"""Seconds that a run may take. A restore fetches a snapshot of up to 8 GiB; what is interrupted
begins again."""


@dataclass
class Runs:
    """The runs of a command. Times are of time.monotonic(), in seconds."""

    limit: float
    began: float
    """The last one, when it began and when it ended."""
    ended: float
    process: int | None = None
    """While one runs."""


@dataclass(frozen=True)
class Rounds:
    """When what is to be done. Pure."""

    reconcile: Runs
    report: Runs

    @classmethod
    def begin(cls, now: float) -> "Rounds":
        """The rounds of an agent that starts: `reconcile` is due."""
        reconcile, report = (Runs(LIMITS[name], now, now) for name in ("reconcile", "report"))
        reconcile.ended -= INTERVAL_SECONDS
        return cls(reconcile, report)

    def times(self) -> dict[str, float]:
        """When each command is to run; of one that runs, when it has had its time."""
        return {
            name: when if runs.process is None else runs.began + runs.limit
            for name, runs, when in (
                ("reconcile", self.reconcile, self.reconcile.ended + INTERVAL_SECONDS),
                ("report", self.report, self._next_report()),
            )
        }

    def _next_report(self) -> float:
        """It tells what `reconcile` has just done; while that takes long, it comes all the same."""
        if self.reconcile.ended > self.report.began:
            return self.reconcile.ended
        return max(self.reconcile.began, self.report.ended) + INTERVAL_SECONDS


def run(settings: Settings, _machine: Machine) -> NoReturn:
    """Run the commands until this process is told to end; what they say is theirs to say."""
    _preload(settings)
    # Blocked, so that none is missed between a look and the wait for the next one.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    rounds = Rounds.begin(time.monotonic())
    while True:
        _act(rounds)
        left = min(rounds.times().values()) - time.monotonic()
        signal.sigtimedwait({signal.SIGCHLD}, max(0.0, left))
        _collect(rounds)


def _preload(settings: Settings) -> None:
    """Import what every run imports."""
    for name in LIMITS:
        command = cli.COMMANDS[name]
        import_module((settings.worker and command.worker) or command.module)
    if not settings.worker:
        from node import aws  # noqa: PLC0415  a worker hardly ever needs it

        aws.preload(settings.region)
    # A collection would touch, and so copy, all of it in each child.
    gc.freeze()


def _act(rounds: Rounds) -> None:
    for name, when in rounds.times().items():
        now, runs = time.monotonic(), getattr(rounds, name)
        if now < when:
            continue
        if runs.process is None:
            runs.process, runs.began = _start(name), now
        else:
            cli.complain(f"{name}: killed, it had not ended after {runs.limit:.0f} s")
            os.killpg(runs.process, signal.SIGKILL)
            # One that waits for a disk that hangs does not go; it is told so again.
            runs.began = now


def _start(name: str) -> int:
    """Start a run; its process, which leads a group, so that what it starts can end with it."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setpgid(0, 0)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        status = cli.main([name])
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _collect(rounds: Rounds) -> None:
    """Take in which runs have ended."""
    for runs in (rounds.reconcile, rounds.report):
        if runs.process is not None and os.waitpid(runs.process, os.WNOHANG)[0]:
            runs.process, runs.ended = None, time.monotonic()
