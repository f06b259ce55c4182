"""`python -m tests`: every test that boots no machine, while what they need is built.

The engine's tests mostly wait for the provider, so they run beside the rest. Tests of real daemons
come after those that only compute: elections and health checks want a processor that is free.
Each group is a pytest process of its own: some tests change the environment or the signal handlers
of their process.
"""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

LOGS = Path("build/tests")
PROGRESS_SECONDS = 30
SHOWN = 30_000
"""Characters of a failed group's output; all of it is in its log."""
ALONE = "not machines and not matrix"
LANES: tuple[dict[str, Sequence[str]], ...] = (
    {"engine": ("-m", f"engine and {ALONE}", "lab/tests/engine")},
    {
        "units": ("-m", f"not engine and not daemons and {ALONE}", "-n", "2"),
        # Each worker's tests have networks of their own, see tests/node/loopback.py.
        "daemons": (
            *("-m", f"daemons and not engine and {ALONE}"),
            *("-n", "2", "--dist", "loadgroup"),
        ),
    },
)
"""Arguments of pytest by the name of the group; the groups of a lane run one after the other."""


@dataclass(frozen=True)
class Group:
    """A pytest process that runs, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    lane: dict[str, Sequence[str]]
    """What comes after it."""

    @property
    def progress(self) -> str:
        """How far pytest is, as it says itself."""
        found = re.findall(r"\[ *(\d+%)\]", self.log.read_text(errors="replace"))
        return f"{self.name} {found[-1] if found else '0%'}"


def main() -> int:
    """Run all groups; 0 when every one passed."""
    console, began = Console(), time.monotonic()
    LOGS.mkdir(parents=True, exist_ok=True)
    with (LOGS / "build.log").open("wb") as log:
        build = subprocess.Popen(
            [sys.executable, "-m", "lab", "build"], stdout=log, stderr=subprocess.STDOUT
        )
    waiting = [dict(lane) for lane in LANES]
    running = [_start(lane) for lane in waiting]
    failed, said_at = [], began
    try:
        while running:
            time.sleep(1)
            for group in [group for group in running if group.process.poll() is not None]:
                running.remove(group)
                _show(console, group)
                if group.process.returncode != 0:
                    failed.append(group.name)
                if group.lane:
                    running.append(_start(group.lane))
            if running and time.monotonic() - said_at >= PROGRESS_SECONDS:
                said_at = time.monotonic()
                minutes, seconds = divmod(int(said_at - began), 60)
                state = ", ".join(group.progress for group in running)
                console.print(f"{minutes}:{seconds:02} {state}", style="dim", highlight=False)
        build.wait()
        return 1 if failed else 0
    finally:
        for process in (build, *(group.process for group in running)):
            if process.poll() is None:
                # As Ctrl-C does: pytest then ends what its tests started.
                process.send_signal(signal.SIGINT)
            process.wait()


def _start(lane: dict[str, Sequence[str]]) -> Group:
    """Start the first group of a lane; the group takes the rest along."""
    name = next(iter(lane))
    arguments = lane.pop(name)
    log = LOGS / f"{name}.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "pytest", "--durations=15", *arguments]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    return Group(name, process, log, lane)


def _show(console: Console, group: Group) -> None:
    """What a group that failed said of its failures, and the end of one that passed."""
    text = group.log.read_text(errors="replace").rstrip()
    if group.process.returncode == 0:
        text = text.splitlines()[-1] if text else ""
    else:
        text = text[max(0, len(text) - SHOWN) :]
    console.print(f"{group.name}:", style="bold")
    console.print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
