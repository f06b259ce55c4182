"""Files that are either the old or the new ones, whenever the power fails."""

import fcntl
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from node.errors import NodeError


def create(path: Path) -> Path:
    """The path, in a directory that exists."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that only one process has; the kernel frees it when that ends, however."""
    with create(path).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write(path: Path, content: str, mode: int = 0o644, owner: str = "root") -> bool:
    """Write a file atomically; False when it is as wanted already, and untouched."""
    if read(path) == content:
        return False
    temporary = create(path).with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    # Never readable by more than its final mode allows, not even for a moment.
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
        file.write(content)
    install(temporary, path, mode, owner)
    return True


def install(temporary: Path, path: Path, mode: int, owner: str = "root") -> None:
    """Give a complete file its mode, its owner and then its final name; NodeError as `own`."""
    temporary.chmod(mode)
    own(temporary, owner)
    sync(temporary)
    temporary.replace(path)
    sync(path.parent)


def own(path: Path, owner: str) -> None:
    """Hand a path to a user and its group; only root can, and tests are not always root.

    NodeError when there is no such user or group.
    """
    if os.geteuid() == 0 and owner != "root":
        try:
            shutil.chown(path, owner, owner)
        except LookupError as error:
            raise NodeError(f"{error}: run systemd-sysusers") from error


def sync(path: Path) -> None:
    """Put a file, or the names in a directory, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read(path: Path) -> str | None:
    """The text of a file; None where there is none."""
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return None


def sha256(path: Path) -> str | None:
    """The checksum of a file in hexadecimal; None where there is none."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return None
