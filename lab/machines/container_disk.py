"""Disk of a machine that runs containers: a file system in a file, mounted on this computer.

A kubelet judges its disk by how full its file system is, which would be this computer's; and images
are unpacked into overlays, which cannot lie on the machine's root, an overlay itself.
"""

import time
from collections.abc import Mapping
from pathlib import Path

from lab.machines.host_programs import run
from lab.machines.volume_files import GIB, devices

SIZE = 20 * GIB
"""What it holds; the file takes what is written."""

PLACES = ("/var/lib/containerd", "/var/lib/kubelet")
"""What of a machine lies on it."""

PATIENCE = 10.0
"""Seconds in which the kernel gives up a disk that was unmounted."""


def mounted(directory: Path) -> Mapping[str, Path]:
    """Have the disk of the machine in a directory mounted, made first if need be; where each of
    PLACES is on this computer. Raises LabError."""
    image, root = directory / "containers.img", directory / "containers"
    if not image.exists():
        made = image.with_suffix(".new")
        with made.open("wb") as file:
            file.truncate(SIZE)
        # Few inodes, since they are written when it is made, and no time for what is not there.
        run("mkfs.ext4", "-q", "-m", "0", "-i", "65536", "-E", "nodiscard", str(made))
        made.rename(image)
    root.mkdir(exist_ok=True)
    if not root.is_mount():
        run("mount", "-o", "loop,noatime", str(image), str(root))
    found = {place: root / Path(place).name for place in PLACES}
    for path in found.values():
        path.mkdir(exist_ok=True)
    return found


def exists(directory: Path) -> bool:
    """Whether the machine in a directory was ever booted with such a disk."""
    return (directory / "containers.img").exists()


def unmount(directory: Path) -> None:
    """Unmount the disk of a machine that is down, if it has one; what is on it stays.

    Its loop device goes with its last user, and another machine that is just booting has a copy of
    every mount for a moment. Raises LabError when it is in use.
    """
    root = directory / "containers"
    if root.is_mount():
        run("umount", str(root))
        deadline = time.monotonic() + PATIENCE
        while devices(directory / "containers.img") and time.monotonic() < deadline:
            time.sleep(0.05)
