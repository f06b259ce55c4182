"""The data volume: wait for it, give it a file system if it is blank, mount it."""

import time
from pathlib import Path

from node import files
from node.errors import NodeError
from node.machine import Machine, run
from node.settings import DATA_DIR, DATA_MOUNT, OWNER, EtcdSettings, at

ATTACH_SECONDS = 600
"""The volume is attached once the instance runs, and when the old one has let go of it."""


def prepare(etcd: EtcdSettings, machine: Machine) -> list[str]:
    """Have the data volume mounted and etcd's directory on it; what was done."""
    done = []
    mount = at(DATA_MOUNT)
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
    data_directory()
    return done


def data_directory() -> None:
    """Have etcd's directory on the mounted volume, for etcd alone."""
    data = at(DATA_DIR)
    data.mkdir(exist_ok=True)
    data.chmod(0o700)
    files.own(data, OWNER["etcd"])


def signature(device: Path) -> str:
    """What is on a device: a file system's type, or other words; empty only when it is blank.

    blkid answers 2 both for "nothing found" and for "cannot be read", 8 when it is in doubt. A
    volume that was never written reads as zeros; anything else at its head is somebody's.
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
        line for line in (files.read(path) or "").splitlines() if line.split()[1:2] != [DATA_MOUNT]
    ]
    line = f"{device} {DATA_MOUNT} ext4 noatime,nofail,x-systemd.device-timeout=60s 0 0"
    files.write(path, "\n".join([*others, line, ""]))
