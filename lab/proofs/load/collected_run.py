"""Run of a session's fault records, beside what it was measured on."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from lab.atomic_file import write_atomically
from lab.proofs.load.fault_record import FaultRecord
from lab.proofs.load.fault_run import Machine, Run, Versions

UNKNOWN = "unknown"
LOCAL_STACK = "config/Pulumi.local.yaml"
GIT_PATIENCE = 10.0
"""Seconds."""


def collected(
    records: Iterable[FaultRecord],
    *,
    commit: str,
    machine: Machine,
    versions: Versions,
    command: str,
) -> Run:
    """The run of some faults, dated by the first; a later record takes the place of an earlier one
    of the same name. Raises ValueError when there are none."""
    faults = [*{record.name: record for record in records}.values()]
    began = min(record.began for record in faults)
    date = datetime.fromtimestamp(began, UTC).date().isoformat()
    return Run(commit, date, machine, versions, command, faults)


def memory_gib(meminfo: str) -> float:
    """Memory of the machine by the text of `/proc/meminfo`. Raises ValueError."""
    found = re.search(r"^MemTotal: +(\d+) kB$", meminfo, re.MULTILINE)
    if not found:
        raise ValueError("/proc/meminfo has no MemTotal")
    return round(int(found[1]) / 2**20, 1)


def load_words(loadavg: str) -> str:
    """Load averages in words by the text of `/proc/loadavg`."""
    return f"{', '.join(loadavg.split()[:3])} over 1, 5 and 15 minutes"


def this_machine() -> Machine:
    """The machine, and its load by now. Raises as `memory_gib`."""
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        memory_gib=memory_gib(Path("/proc/meminfo").read_text()),
        kernel=platform.release(),
        load=load_words(Path("/proc/loadavg").read_text()),
    )


def commit_of(project: Path) -> str:
    """The commit that a directory is at, `-dirty` with changes; `unknown` where git says none.

    The lab's own salt in its stack file is no change.
    """
    git = ["git", "-C", str(project)]
    try:
        commit = _said([*git, "rev-parse", "--short", "HEAD"])
        changed = _said([*git, "status", "--porcelain", "--", ".", f":!{LOCAL_STACK}"])
    except (OSError, subprocess.SubprocessError, UnicodeError):
        return UNKNOWN
    return f"{commit}-dirty" if changed else commit


def _said(words: list[str]) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=GIT_PATIENCE)
    return done.stdout.strip()


def save(run: Run, path: Path) -> None:
    """Write a run as JSON, whole or not at all."""
    write_atomically(path, run.to_json(), 0o644)
