"""A control group per machine, in every hierarchy of the host.

Without one of their own all machines would see the same tree, and the systemd of one would take
down the services of another, since both call them by the same name.
"""

import contextlib
import os
import time
from pathlib import Path

from lab.machines.lab_names import Names

_KINDS = {"cgroup", "cgroup2"}
PATIENCE = 5.0
"""Seconds in which the kernel forgets the processes that were killed."""


def hierarchies() -> list[Path]:
    """Mount points of the host's hierarchies, version 1 and 2 (proc(5), mountinfo)."""
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    fields = [line.split(" - ") for line in lines]
    return [Path(before.split()[4]) for before, after in fields if after.split()[0] in _KINDS]


def create(names: Names, instance: str) -> list[Path]:
    """Make the groups of a machine; the files into which its first process writes itself."""
    found = []
    for root in hierarchies():
        parent = root / names.prefix
        for group in (parent, parent / instance):
            if not group.exists():
                hand_down(group.parent)
                group.mkdir()
                _inherit(group)
        found.append(parent / instance / "cgroup.procs")
    return found


def hand_down(group: Path) -> None:
    """Let the groups below one limit what it can limit itself: in version 2 nothing is limited that
    is not handed down, and pods would have no limits."""
    there, given = group / "cgroup.controllers", group / "cgroup.subtree_control"
    if there.exists() and given.exists():
        wanted = " ".join(f"+{one}" for one in there.read_text(encoding="utf-8").split())
        with contextlib.suppress(OSError):
            given.write_text(wanted, encoding="utf-8")


def _inherit(group: Path) -> None:
    """A new group of the cpuset hierarchy (version 1) has no processor, and takes no process."""
    for name in ("cpuset.cpus", "cpuset.mems"):
        file, above = group / name, group.parent / name
        if file.exists() and above.exists() and not file.read_text().strip():
            with contextlib.suppress(OSError):
                file.write_text(above.read_text())


def remove(names: Names, instance: str | None = None) -> None:
    """Remove the groups of a machine that is down, or those of all.

    Raises OSError when one is still busy after PATIENCE.
    """
    for root in hierarchies():
        group = root / names.prefix / instance if instance else root / names.prefix
        _remove(group)


def _remove(group: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    for directory, _, _ in os.walk(group, topdown=False):
        while True:
            try:
                Path(directory).rmdir()
            except FileNotFoundError:
                break
            except OSError:
                # Still busy: a process that was killed is not yet gone.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                break
