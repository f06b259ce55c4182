"""Limits of the kernel that all machines share, and that many workers come up to."""

import contextlib
from pathlib import Path

from lab.atomic_file import write_atomically

INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
ENOUGH = 8192
"""What a worker on AWS is given. Root of all machines is one user here: a worker takes 17 instances
(measured), and the default is 128."""


def raise_limits(kept: Path, limit: Path = INOTIFY) -> None:
    """Raise the limit where it is lower; what it was goes into a file."""
    before = int(limit.read_text(encoding="utf-8"))
    if before < ENOUGH:
        if not kept.exists():
            write_atomically(kept, str(before))
        limit.write_text(f"{ENOUGH}\n", encoding="utf-8")


def put_back(kept: Path, limit: Path = INOTIFY) -> None:
    """Set the limit to what it was, unless nobody raised it, or somebody else set it since."""
    with contextlib.suppress(FileNotFoundError):
        before = kept.read_text(encoding="utf-8")
        if int(limit.read_text(encoding="utf-8")) == ENOUGH:
            limit.write_text(f"{before}\n", encoding="utf-8")
        kept.unlink()
