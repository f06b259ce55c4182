"""Programs within a machine: in its namespaces, as its root, on the disks that it has."""

import subprocess
from collections.abc import Sequence

from lab.lab_errors import LabError

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SECONDS = 60.0
"""That a program gets which nobody watches."""


def command(init: int, words: Sequence[str], terminal: str | None = None) -> list[str]:
    """The command on this computer that runs one in the machine with that first process. Pure.

    Nothing of this computer's environment goes with it, but the kind of `terminal`.
    """
    environment = [f"PATH={PATH}", "HOME=/root", "USER=root", "LANG=C.UTF-8"]
    if terminal:
        environment.append(f"TERM={terminal}")
    namespaces = ("--mount", "--uts", "--ipc", "--net", "--pid")
    return ["nsenter", f"--target={init}", *namespaces, "env", "-i", *environment, *words]


def output(init: int, words: Sequence[str], stdin: str = "") -> str:
    """What a program in the machine prints. Raises LabError with the end of its complaint."""
    done = attempt(init, words, stdin)
    if done.returncode:
        complaint = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        # Without scripts, which are words of many lines.
        shown = " ".join(word for word in words if "\n" not in word)
        raise LabError(f"`{shown}` failed ({done.returncode}): {complaint}")
    return done.stdout


def attempt(init: int, words: Sequence[str], stdin: str = "") -> subprocess.CompletedProcess[str]:
    """How a program in the machine ends. Raises LabError when it does not."""
    try:
        return subprocess.run(
            command(init, words),
            input=stdin,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise LabError(f"`{words[0]}` in the machine did not end in {SECONDS:.0f} s.") from None


def main_process(init: int, service: str) -> int:
    """The id, in the machine, of a service's main process; 0 when it has none. Raises LabError."""
    words = ["systemctl", "show", "--property=MainPID", "--value", f"{service}.service"]
    return int(output(init, words))
