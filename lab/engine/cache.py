"""The per-user cache: content is named by its inputs, published by rename, built under a lock."""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_directory() -> Path:
    """The engine's cache, below XDG_CACHE_HOME or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "ha-kubernetes" / "engine"


def digest(*inputs: bytes | str) -> str:
    """The SHA-256 of all inputs in order, each preceded by its length."""
    total = hashlib.sha256()
    for value in inputs:
        data = value.encode() if isinstance(value, str) else value
        total.update(len(data).to_bytes(8, "big") + data)
    return total.hexdigest()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock; the kernel frees it when the holder ends in whatever way."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def published(directory: Path, build: Callable[[Path], None]) -> Path:
    """Return the directory, built once: into a temporary sibling, then renamed.

    A builder that was killed leaves a temporary sibling, which the next builder removes; a
    directory of the final name is therefore always complete.

    Raises what the builder raises.
    """
    if directory.is_dir():
        return directory
    with locked(directory.with_name(directory.name + ".lock")):
        if directory.is_dir():
            return directory
        for leftover in directory.parent.glob(f"{directory.name}.building-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        work = Path(tempfile.mkdtemp(prefix=f"{directory.name}.building-", dir=directory.parent))
        try:
            build(work)
            work.chmod(0o755)
            work.rename(directory)
        except BaseException:
            shutil.rmtree(work, ignore_errors=True)
            raise
    return directory
