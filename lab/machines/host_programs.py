"""Programs of the host."""

import os
import subprocess
from pathlib import Path

from lab.lab_errors import LabError
from lab.machines.lab_names import MARK
from lab.processes import ProcessIdentity, identify


def run(*command: str, stdin: str = "", ok: tuple[int, ...] = (0,)) -> str:
    """Run a program; its output. Raises LabError with the last line of its complaint."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        complaint = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LabError(f"`{' '.join(command)}` failed ({done.returncode}): {complaint}")
    return done.stdout


# In the background of a shell that ends at once, so that nobody here has to wait for its end.
_SCRIPT = 'log=$1; shift; setsid "$@" </dev/null >>"$log" 2>&1 & echo $!'


def start_detached(
    command: list[str], *, state: Path, log: Path, directory: Path | None = None
) -> ProcessIdentity:
    """Start a program in a session of its own, marked as the lab's; raises LabError when it ended
    at once. `log` gets what it prints."""
    log.parent.mkdir(parents=True, exist_ok=True)
    started = subprocess.run(
        ["sh", "-c", _SCRIPT, "start", str(log), *command],
        cwd=directory,
        env={**os.environ, MARK: str(state)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    identity = identify(int(started.stdout))
    if identity is None:
        raise LabError(f"{command[0]} ended at once; see the end of {log}.")
    return identity
