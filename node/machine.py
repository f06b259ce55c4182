"""The machine under the program: other programs, services, mounts."""

import socket
import subprocess
from pathlib import Path

from node import files
from node.errors import NodeError
from node.settings import at

RUNNING = {"active", "activating", "reloading"}
"""States of a unit whose process runs or is about to."""


class Machine:
    """What the program changes outside its files. Tests put real processes behind it."""

    def active(self, unit: str) -> bool:
        """Whether a service runs or is starting."""
        return show(unit, "ActiveState").get("ActiveState") in RUNNING

    def ended(self, unit: str) -> bool:
        """Whether a service ended by itself, with 0; one that was told to stop died of a signal."""
        found = show(unit, "ActiveState", "ExecMainCode", "ExecMainStatus")
        stopped = found.get("ActiveState") in {"inactive", "failed"}
        return stopped and (found.get("ExecMainCode"), found.get("ExecMainStatus")) == ("1", "0")

    def started(self, unit: str) -> int | None:
        """When a service's process started, in seconds since 1970; None when none runs."""
        found = show(unit, "ActiveState", "ExecMainStartTimestamp")
        when = found.get("ExecMainStartTimestamp", "")
        runs = found.get("ActiveState") in RUNNING
        return int(when.removeprefix("@")) if runs and when.startswith("@") else None

    def active_since(self, unit: str) -> float | None:
        """When a service became active, in seconds of time.monotonic(); None unless it is."""
        found = show(unit, "ActiveState", "ActiveEnterTimestampMonotonic")
        when = found.get("ActiveEnterTimestampMonotonic", "")
        return int(when) / 1e6 if found.get("ActiveState") == "active" and when.isdigit() else None

    def kill(self, unit: str) -> None:
        """End a service's processes at once."""
        run("systemctl", "kill", "--signal=SIGKILL", unit)

    def start(self, unit: str) -> None:
        """Start a service, without waiting for it: etcd is not ready before its peers are."""
        # One that failed too often may try again.
        run("systemctl", "reset-failed", unit, ok=(0, 1))
        run("systemctl", "start", "--no-block", unit)

    def stop(self, unit: str) -> None:
        """Stop a service, and wait until it has ended."""
        run("systemctl", "stop", unit)

    def reload(self, unit: str) -> None:
        """Have a service read its configuration again; start it when it does not run."""
        run("systemctl", "reload-or-restart", unit)

    def rename(self, hostname: str) -> None:
        """Give the machine a hostname, now and for every boot; daemons read it when they start."""
        files.write(at("/etc/hostname"), f"{hostname}\n")
        if socket.gethostname() != hostname:
            socket.sethostname(hostname)

    def mounted(self, path: Path) -> bool:
        """Whether a file system is mounted there."""
        return path.is_mount()

    def mount(self, path: Path) -> None:
        """Mount what fstab says, by the unit that systemd makes of it: boot may be doing it too."""
        run("systemctl", "daemon-reload")
        run("systemctl", "start", str(path))


def show(unit: str, *properties: str) -> dict[str, str]:
    """What systemd says of a unit; times in seconds since 1970, as "@1700000000"."""
    named = f"--property={','.join(properties)}"
    shown = run("systemctl", "show", named, "--timestamp=unix", unit).stdout
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def run(
    *command: str, ok: tuple[int, ...] = (0,), given: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program, ten minutes at most; `given` is its input.

    Raises NodeError with the last line of its complaint.
    """
    try:
        done = subprocess.run(
            command,
            input=given,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NodeError(f"{command[0]}: {error}") from error
    if done.returncode not in ok:
        complaint = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise NodeError(f"{command[0]} failed ({done.returncode}): {complaint}")
    return done
