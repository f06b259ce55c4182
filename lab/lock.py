"""Lock of a lab: one command at a time changes it."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.lab_errors import LabError


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock; the kernel frees it when the holder ends in whatever way.

    Raises LabError when another process holds it.
    """
    descriptor = _acquire(path)
    try:
        yield
    finally:
        os.close(descriptor)


def _acquire(path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode().strip()
            os.close(descriptor)
            raise LabError(
                f"Another command (process {holder or 'unknown'}) is at work on this lab: "
                "wait for it or interrupt it."
            ) from None
        if _is(descriptor, path):
            os.truncate(descriptor, 0)
            os.write(descriptor, f"{os.getpid()}\n".encode())
            return descriptor
        # `down` removed the file between the two calls: this lock would exclude nobody.
        os.close(descriptor)


def _is(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
