"""EBS volumes: sparse files on loop devices. A file outlives the machines that it is attached to.
What runs a program of the host raises LabError."""

import json
import os
from pathlib import Path

from lab.machines.host_programs import run

GIB = 1 << 30

BY_ID = "/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_"
"""What a volume is called on a Nitro instance, followed by its id without the dash."""


def device_name(volume: str) -> str:
    """The name of a volume's device in a machine."""
    return f"{BY_ID}{volume.replace('-', '')}"


def attach(directory: Path, volume: str, gib: int) -> Path:
    """The loop device of a volume, made first if need be; it grows with its volume."""
    directory.mkdir(parents=True, exist_ok=True)
    image = directory / f"{volume}.img"
    size = gib * GIB
    grown = image.exists() and image.stat().st_size < size
    if grown or not image.exists():
        with image.open("ab") as file:
            file.truncate(size)
    device = _device(image)
    if device is None:
        return Path(run("losetup", "--find", "--show", str(image)).strip())
    if grown:
        run("losetup", "--set-capacity", str(device))
    return device


def detach(directory: Path, volume: str) -> None:
    """Give the loop device back."""
    device = _device(directory / f"{volume}.img")
    if device is not None:
        run("losetup", "--detach", str(device))


def delete(directory: Path, volume: str) -> None:
    """Remove a volume with what is on it."""
    detach(directory, volume)
    (directory / f"{volume}.img").unlink(missing_ok=True)


def devices(below: Path) -> list[Path]:
    """Loop devices whose files are below a directory, deleted ones included."""
    answer = json.loads(run("losetup", "--list", "--json") or "{}")
    found = []
    for device in answer.get("loopdevices", []):
        file = str(device["back-file"]).removesuffix(" (deleted)")
        if Path(file).is_relative_to(below):
            found.append(Path(device["name"]))
    return found


def device_number(device: Path) -> tuple[int, int]:
    """Major and minor number of a device."""
    status = device.stat()
    return os.major(status.st_rdev), os.minor(status.st_rdev)


def _device(image: Path) -> Path | None:
    return next(iter(devices(image)), None)
