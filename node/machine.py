"""Machine that the agent runs on: other programs, services, mounts."""

import fcntl
import os
import socket
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path

from node import files
from node.errors import NodeError
from node.settings import at

EXT4_IOC_RESIZE_FS = 0x40086610
"""_IOW('f', 16, __u64) of linux/ext4.h: what resize2fs and systemd-growfs ask of a mounted ext4."""

SECTOR = 512
"""Bytes of a sector in sysfs, whatever the device's own are."""

RUNNING = {"active", "activating", "reloading"}
"""States of a unit whose process runs or is about to."""


class Machine:
    """What the agent changes outside its files. Tests put real processes behind it.

    What asks systemd raises NodeError when that fails; the rest raises OSError.
    """

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

    def capacity(self, mount: Path) -> int:
        """Bytes of the device that is mounted there. The device itself need not be visible."""
        number = mount.stat().st_dev
        size = Path(f"/sys/dev/block/{os.major(number)}:{os.minor(number)}/size")
        return int(size.read_text()) * SECTOR

    def grow(self, mount: Path, size: int) -> None:
        """Grow the ext4 file system that is mounted there to so many bytes, while it is in use.

        The kernel does it, needs CAP_SYS_RESOURCE for it, and refuses to shrink one.
        """
        descriptor = os.open(mount, os.O_RDONLY)
        try:
            blocks = size // os.fstatvfs(descriptor).f_frsize
            fcntl.ioctl(descriptor, EXT4_IOC_RESIZE_FS, struct.pack("Q", blocks))
        finally:
            os.close(descriptor)


def show(unit: str, *properties: str) -> dict[str, str]:
    """What systemd says of a unit; times in seconds since 1970, as "@1700000000".

    Raises as `run`.
    """
    named = f"--property={','.join(properties)}"
    shown = run("systemctl", "show", named, "--timestamp=unix", unit).stdout
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def run(
    *command: str,
    ok: tuple[int, ...] = (0,),
    given: str = "",
    seconds: int = 600,
    progress: Callable[[], int] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a program; `given` is its input. Raises NodeError with the last line of its complaint.

    It may take so many seconds; with `progress`, a number that grows with its work, it may take
    any time, as long as that number changes at least every so many seconds.
    """
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            output, complaint = _ended(process, command[0], given, seconds, progress)
    except OSError as error:
        raise NodeError(f"{command[0]}: {error}") from error
    if process.returncode not in ok:
        last = (complaint.strip().splitlines() or ["no reason given"])[-1]
        raise NodeError(f"{command[0]} failed ({process.returncode}): {last}")
    return subprocess.CompletedProcess(command, process.returncode, output, complaint)


def _ended(
    process: "subprocess.Popen[str]",
    name: str,
    given: str | None,
    seconds: int,
    progress: Callable[[], int] | None,
) -> tuple[str, str]:
    """What a process wrote until it ended; it does not outlive this call."""
    before = 0
    try:
        while True:
            try:
                return process.communicate(given, timeout=seconds)
            except subprocess.TimeoutExpired as error:
                given = None  # It goes on with what it was given.
                if progress is None:
                    raise NodeError(f"{name} had not ended after {seconds} s") from error
                now = progress()
                if now == before:
                    raise NodeError(
                        f"{name} got no further for {seconds} s, at {now} bytes"
                    ) from error
                before = now
    finally:
        process.kill()
