"""Data volume: wait for it, give it a file system if it is blank, mount it, and have the file
system grow with it."""

import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path

from node import files
from node.contract import ETCD_DATA, ETCD_MOUNT, RUNTIME
from node.errors import NodeError
from node.machine import Machine, run
from node.settings import OWNER, EtcdSettings, at

ATTACH_SECONDS = 600
"""The volume is attached once the instance runs, and when the old one has let go of it."""

GIB = 1 << 30
NEEDED = 1.8
"""Quotas that a file system must have room for: the database, and the copy that defragmentation and
restore make alongside it. Settings ask for two; a tenth is the file system's own."""

_GROWN = f"{RUNTIME}/file-system-bytes"
"""Size of the file system. `prepare` reads it from the device, which `reconcile` does not see."""


@dataclass(frozen=True)
class Space:
    """The mounted file system."""

    size: int
    """Bytes for files, used or not."""
    free: int

    def problem(self, quota: int | None) -> str | None:
        """Why a database of that quota, in bytes, may not fit; None when it does."""
        if not quota or self.size >= NEEDED * quota:
            return None
        return (
            f"the file system has {self.size / GIB:.1f} GiB, and with a quota of "
            f"{quota / GIB:.1f} GiB it needs {NEEDED * quota / GIB:.1f}: raise "
            "etcd.dataVolume.sizeGib, or see the journal of ha-node if that is larger"
        )

    def needed(self, database: int, quota: int) -> float:
        """Percent of it that are used, with the database counted as large as its quota."""
        return 100 * (self.size - self.free - database + quota) / self.size


def space() -> Space | None:
    """What the data volume's file system has; None while it is not mounted."""
    mount = at(ETCD_MOUNT)
    if not mount.is_mount():
        return None
    found = os.statvfs(mount)
    return Space(found.f_blocks * found.f_frsize, found.f_bavail * found.f_frsize)


def prepare(etcd: EtcdSettings, machine: Machine) -> list[str]:
    """Have the data volume mounted and etcd's directory on it; what was done.

    NodeError when it is not attached after ATTACH_SECONDS, holds anything but ext4, or cannot be
    mounted.
    """
    done = []
    mount = at(ETCD_MOUNT)
    if not machine.mounted(mount):
        device = at(etcd.device)
        _wait_for(device, etcd.volume_id)
        found = signature(device)
        if not found:
            run("mkfs.ext4", "-q", "-m0", str(device))
            done.append(f"created a file system on {etcd.volume_id}")
        elif found != "ext4":
            raise NodeError(
                f"{etcd.volume_id} holds {found}, not ext4, and is left as it is: attach the "
                f"member's own volume, or erase this one (wipefs -a {etcd.device})"
            )
        mount.mkdir(parents=True, exist_ok=True)
        _add_to_fstab(etcd.device)
        machine.mount(mount)
        done.append(f"mounted {etcd.volume_id}")
    device = at(etcd.device)
    if device.exists():
        files.write(at(_GROWN), f"{extent(device)}\n")
    data_directory()
    return done


def grow(etcd: EtcdSettings, machine: Machine) -> list[str]:
    """Have the file system take the whole of a volume that has grown; what was done.

    Never raises: whatever is wrong with this, the member must go on. It only ever asks for more
    than there is, and the kernel refuses anything else.
    """
    mount = at(ETCD_MOUNT)
    before = files.read(at(_GROWN))
    if before is None or not machine.mounted(mount):
        return []
    try:
        size, capacity = int(before), machine.capacity(mount)
        if capacity < size:
            return [f"{etcd.volume_id} is smaller than its file system: is it the right volume?"]
        if capacity == size:
            return []
        machine.grow(mount, capacity)
    except (OSError, ValueError) as error:
        return [f"could not grow the file system of {etcd.volume_id}: {error}"]
    files.write(at(_GROWN), f"{capacity}\n")
    sizes = f"{size / GIB:.2f} to {capacity / GIB:.2f} GiB"
    return [f"grew the file system of {etcd.volume_id} from {sizes}"]


def extent(device: Path) -> int:
    """Bytes that the ext4 file system on a device spans.

    From its superblock, 1024 bytes from the start (Linux, Documentation/filesystems/ext4). The size
    that the mounted file system tells leaves out what it needs for itself, a few percent.
    """
    with device.open("rb") as file:
        file.seek(1024)
        block = file.read(1024)
    low, scale = struct.unpack_from("<I", block, 0x4)[0], struct.unpack_from("<I", block, 0x18)[0]
    high = struct.unpack_from("<I", block, 0x150)[0] if block[0x60] & 0x80 else 0
    return int((high << 32 | low) << (10 + scale))


def data_directory() -> None:
    """Have etcd's directory on the mounted volume, for etcd alone; NodeError without its user."""
    data = at(ETCD_DATA)
    data.mkdir(exist_ok=True)
    data.chmod(0o700)
    files.own(data, OWNER["etcd"])


def signature(device: Path) -> str:
    """What is on a device: a file system's type, or other words; empty only when it is blank.

    blkid answers 2 both for "nothing found" and for "cannot be read", 8 when it is in doubt. A
    volume that was never written reads as zeros; anything else at its head is somebody's.

    NodeError when blkid is in doubt, OSError when the device cannot be read.
    """
    with device.open("rb") as file:
        head = file.read(4096)
    probe = run("blkid", "-p", "-o", "export", str(device), ok=(0, 2))
    if probe.returncode == 0:
        tags = dict(line.split("=", 1) for line in probe.stdout.splitlines() if "=" in line)
        return tags.get("TYPE", "partitions")
    return "unknown data" if any(head) or not head else ""


def _wait_for(device: Path, volume: str) -> None:
    give_up = time.monotonic() + ATTACH_SECONDS
    while not device.exists():
        if time.monotonic() > give_up:
            raise NodeError(f"data volume {volume} is not attached: run pulumi up")
        time.sleep(1)


def _add_to_fstab(device: str) -> None:
    """Have a reboot mount it; without it the machine must still come up, to be looked at."""
    path = at("/etc/fstab")
    others = [
        line for line in (files.read(path) or "").splitlines() if line.split()[1:2] != [ETCD_MOUNT]
    ]
    line = f"{device} {ETCD_MOUNT} ext4 noatime,nofail,x-systemd.device-timeout=60s 0 0"
    files.write(path, "\n".join([*others, line, ""]))
