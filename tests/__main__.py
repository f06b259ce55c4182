"""`python -m tests [GROUP]`: a group of the tests, or all of them while what they need is built.

The engine's tests mostly wait for the provider, so they run alongside the rest. Tests of real
daemons come after those that only compute: elections and health checks want a processor that is
free. Each group is a pytest process of its own: some tests change the environment or the signal
handlers of their process.

`python -m tests --times` prints the slowest tests of the last run of each group.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from rich.console import Console

LOGS = Path("build/tests")
PROGRESS_SECONDS = 30
SHOWN = 30_000
"""Characters of a failed group's output; all of it is in its log."""
SLOWEST = 25
"""Tests that `--times` prints."""
ALONE = "not machines and not matrix"
UNITS = str((os.cpu_count() or 1) + 1)
"""Processes of the units: one more than processors, since a quarter of their time is waits."""
GROUPS: dict[str, Sequence[str]] = {
    "units": (f"not engine and not daemons and {ALONE}", "-n", UNITS, "--dist", "loadfile"),
    # Networks are of one worker (tests/node/loopback.py), and what a file shares stays in one. They
    # mostly wait, those of Kubernetes for its build: the others go on meanwhile.
    "daemons": (f"daemons and not engine and {ALONE}", "-n", "4", "--dist", "loadfile"),
    "engine": (f"engine and {ALONE}", "lab/tests/engine"),
}
"""Marker expression and further arguments of pytest, by the name of the group."""
MEMORY, ROOM = Path("/dev/shm"), 8 << 30
"""A file system in memory, and the bytes that it must have free. Members of etcd flush each write:
on a disk most of the group's time is the wait for it, and no test is about that disk."""
LANES = (("engine",), ("units", "daemons"))
"""Groups that run one after the other, by lane."""


@dataclass(frozen=True)
class Group:
    """A pytest process that runs, and where its output goes."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    lane: Sequence[str]
    """Groups that come after it."""

    @property
    def progress(self) -> str:
        """How far pytest is, as it says itself."""
        found = re.findall(r"\[ *(\d+%)\]", self.log.read_text(errors="replace"))
        return f"{self.name} {found[-1] if found else '0%'}"


def main() -> int:
    """Run what is asked for; 0 when everything passed."""
    parser = argparse.ArgumentParser(prog="python -m tests", description="Run the tests.")
    parser.add_argument("group", nargs="?", choices=GROUPS, help="this group alone")
    parser.add_argument("--times", action="store_true", help="print the slowest tests instead")
    arguments = parser.parse_args()
    # Neither the tests nor the build for them download what is official (lab/engine/fetching.py).
    os.environ["HA_LAB_OFFLINE"] = "1"
    LOGS.mkdir(parents=True, exist_ok=True)
    if arguments.times:
        return _times()
    if arguments.group:
        group = arguments.group
        return subprocess.run(_command(group), env=_environment(group), check=False).returncode
    return _all()


def _command(group: str) -> list[str]:
    marker, *further = GROUPS[group]
    report = f"--junit-xml={LOGS / group}.xml"
    return [sys.executable, "-m", "pytest", "-q", report, "-m", marker, *further]


def _environment(group: str) -> dict[str, str]:
    """The environment of a group: programs of its own, and real daemons write to memory."""
    environment = dict(os.environ)
    if group == "units":
        return environment
    # There are more of them than processors: with threads on several each takes a quarter more.
    environment["GOMAXPROCS"] = "1"
    if group == "daemons" and MEMORY.is_dir():
        system = os.statvfs(MEMORY)
        # Tests write programs of their own; in a container it may be mounted without execution.
        runs = not system.f_flag & os.ST_NOEXEC
        if runs and system.f_bavail * system.f_frsize >= ROOM:
            environment["PYTEST_DEBUG_TEMPROOT"] = str(MEMORY)
    return environment


def _times() -> int:
    """Print the slowest tests of the last runs, and how long each group took."""
    tests: list[tuple[float, str]] = []
    for report in sorted(LOGS.glob("*.xml")):
        suite = ET.parse(report).getroot()[0]
        print(f"{report.stem}: {suite.get('tests')} tests, {float(suite.get('time', 0)):.0f} s")
        tests += [
            (float(case.get("time", 0)), f"{case.get('classname')}::{case.get('name')}")
            for case in suite.iter("testcase")
        ]
    if not tests:
        print("no test was run yet: make test, or make test-all")
    for seconds, name in sorted(tests, reverse=True)[:SLOWEST]:
        print(f"{seconds:7.1f} s  {name}")
    return 0


def _all() -> int:
    """Run every group, in lanes; 0 when every one passed."""
    console, began = Console(), time.monotonic()
    with (LOGS / "build.log").open("wb") as log:
        build = subprocess.Popen(
            [sys.executable, "-m", "lab", "build"], stdout=log, stderr=subprocess.STDOUT
        )
    running = [_start(lane) for lane in LANES]
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


def _start(lane: Sequence[str]) -> Group:
    """Start the first group of a lane; the group takes the rest along."""
    name, *rest = lane
    log = LOGS / f"{name}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            _command(name), env=_environment(name), stdout=file, stderr=subprocess.STDOUT
        )
    return Group(name, process, log, rest)


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
