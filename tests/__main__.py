"""`python -m tests`: every test, in groups that run side by side, while what they need is built.

The engine's tests mostly wait for the provider and the daemons' tests mostly wait for elections, so
one group alone leaves the processors idle. Each group is a pytest process of its own: some tests
change the environment or the signal handlers of their process.
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
GROUPS: dict[str, Sequence[str]] = {
    "engine": ("tests/engine",),
    "node": ("tests/node",),
    "others": ("tests", "--ignore=tests/engine", "--ignore=tests/node"),
}
"""Arguments of pytest by the name of the group."""


@dataclass(frozen=True)
class Group:
    """A pytest process that runs, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

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
            ["nice", sys.executable, "-m", "lab", "build"], stdout=log, stderr=subprocess.STDOUT
        )
    running = [_start(name) for name in GROUPS]
    failed, said_at = [], began
    try:
        while running:
            time.sleep(1)
            for group in [group for group in running if group.process.poll() is not None]:
                running.remove(group)
                _show(console, group)
                if group.process.returncode != 0:
                    failed.append(group.name)
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


def _start(name: str) -> Group:
    log = LOGS / f"{name}.log"
    with log.open("wb") as file:
        command = [sys.executable, "-m", "pytest", "--durations=15", *GROUPS[name]]
        process = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)
    return Group(name, process, log)


def _show(console: Console, group: Group) -> None:
    """All of what a group that failed said, and the end of one that passed."""
    text = group.log.read_text(errors="replace").rstrip()
    if group.process.returncode == 0:
        text = text.splitlines()[-1] if text else ""
    console.print(f"{group.name}:", style="bold")
    console.print(text, markup=False, highlight=False, soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
