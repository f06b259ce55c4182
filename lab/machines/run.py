"""Programs of the host."""

import subprocess

from lab.errors import LabError


def run(*command: str, stdin: str = "", ok: tuple[int, ...] = (0,)) -> str:
    """Run a program; its output. Raises LabError with the last line of its complaint."""
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        complaint = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise LabError(f"`{' '.join(command)}` failed ({done.returncode}): {complaint}")
    return done.stdout
