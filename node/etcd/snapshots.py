"""Snapshots: taken by the member that leads, whole before they are sent, and known to be stored."""

import hashlib
import json
import shutil
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from node import files, operations
from node.contract import CACHE, SNAPSHOT_PREFIX
from node.errors import AwsError, NodeError
from node.etcd import local_member, snapshot_age, snapshot_attempt
from node.etcd.snapshot_bucket import Bucket, Snapshot
from node.etcd.snapshot_retention import superfluous
from node.machine import run
from node.settings import EtcdSettings, Settings, at

MIB = 1 << 20
SPARE = 256 * MIB
"""Bytes of a disk that no snapshot takes: the journal and etcd's own log need some."""


SLOWEST = 4 * MIB
"""Bytes a second of a disk that is still waited for: 8 GiB take 34 minutes. Plain gp3 has 125."""


@dataclass(frozen=True)
class Content:
    """What a snapshot holds."""

    revision: int
    keys: int
    size: int
    """Bytes of the database."""

    def __str__(self) -> str:
        """For people."""
        return f"revision {self.revision}, {self.keys} keys, {self.size / MIB:.1f} MiB"


def take(settings: Settings, etcd: EtcdSettings) -> str:
    """Take one and store it, if this member leads; what was done.

    NodeError when etcd, the disk or S3 does not allow it. Whatever goes wrong is in this member's
    next status as well.
    """
    snapshot_attempt.begin()
    try:
        return _take(settings, etcd)
    except Exception as error:
        snapshot_attempt.failed(str(error))
        raise


def _take(settings: Settings, etcd: EtcdSettings) -> str:
    status = local_member.facts(settings, etcd)
    if status is None:
        raise NodeError("etcd does not answer, so there is no snapshot: see journalctl -u etcd")
    if not status.get("leader"):
        raise NodeError("etcd has no leader, so there is no snapshot: see the runbook restore")
    bucket = Bucket(settings, etcd)
    if not local_member.leads(status):
        return f"another member leads and takes the snapshots; {_look(bucket)}"
    path = at(f"{CACHE}/snapshot.db")
    _remove(path)
    need_room(files.create(path).parent, status["dbSize"])
    began = time.monotonic()
    name = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        local_member.save(settings, etcd, path)
        content = inspect(path)
        key = f"{SNAPSHOT_PREFIX}{settings.name}/{name}-{content.revision}.db"
        bucket.upload(path, key)
    finally:
        _remove(path)
    age = time.monotonic() - began
    snapshot_age.remember(age)
    snapshot_attempt.stored(Snapshot(content.revision, name, key, age))
    return f"stored {key}: {content}{_thin_out(settings, bucket, key)}"


def _thin_out(settings: Settings, bucket: Bucket, key: str) -> str:
    """Delete what a snapshot that was just verified makes superfluous; what was done.

    That it cannot be done does not make the snapshot fail.
    """
    try:
        stored = bucket.snapshots()
        if key not in {snapshot.key for snapshot in stored}:
            return f"; deleted no older one, because {bucket.name} does not list it"
        doomed = superfluous(stored, operations.current(settings).keep_days)
        bucket.remove(doomed)
    except NodeError as error:
        return f"; could not delete older ones: {error}"
    return f"; deleted {len(doomed)} older ones" if doomed else ""


def inspect(path: Path) -> Content:
    """What a file holds. NodeError when it is no whole snapshot.

    etcd ends a snapshot with the SHA-256 of what comes before. etcdutl's `status` walks through the
    database and leaves that sum alone; its `restore` compares it, when it would be too late.
    """
    body = path.stat().st_size - hashlib.sha256().digest_size
    digest = hashlib.sha256()
    with path.open("rb") as file:
        left = body
        while left > 0 and (chunk := file.read(min(left, MIB))):
            digest.update(chunk)
            left -= len(chunk)
        if body <= 0 or file.read() != digest.digest():
            raise NodeError(f"{path.name} is damaged: its SHA-256 is not the one at its end")
    command = "etcdutl", "--write-out=json", "snapshot", "status", str(path)
    try:
        said = run(*command, seconds=patience(body)).stdout
    except NodeError as error:
        raise NodeError(f"{path.name} is damaged: {error}") from error
    status = json.loads(said)
    return Content(status["revision"], status["totalKey"], status["totalSize"])


def fetch(bucket: Bucket, key: str, path: Path) -> Content:
    """Bring a snapshot to a path, whole; the directory is for it alone.

    A download that an earlier run finished is not repeated. NodeError when there is no such
    snapshot, when it is damaged, and when the disk has no room.
    """
    size = bucket.size(key)
    if not path.exists():
        shutil.rmtree(path.parent, ignore_errors=True)
        need_room(files.create(path).parent, size)
        part = path.with_suffix(".part")
        bucket.download(key, part)
        part.replace(path)
    try:
        return inspect(path)
    except NodeError as error:
        # The next run fetches it again.
        path.unlink()
        raise NodeError(f"{key}: {error}; choose another snapshot") from error


def need_room(directory: Path, size: int) -> None:
    """NodeError when a directory's disk has no room for so many bytes."""
    free, needed = shutil.disk_usage(directory).free, size + SPARE
    if free < needed:
        raise NodeError(
            f"the disk of {directory} has {free // MIB} MiB free and {needed // MIB} MiB are "
            "needed: make room there, or have a larger disk"
        )


def patience(size: int) -> int:
    """Seconds that a program may take with a snapshot of so many bytes."""
    return 600 + max(0, size) // SLOWEST


def _look(bucket: Bucket) -> str:
    """What this member now knows of the newest snapshot."""
    try:
        found = bucket.newest()
    except AwsError as error:
        snapshot_attempt.failed(str(error))
        return str(error)
    if not found:
        snapshot_attempt.nothing()
        return "none is stored yet"
    snapshot_age.remember(found.age)
    snapshot_attempt.stored(found)
    return f"the newest is {found.key}"


def _remove(path: Path) -> None:
    """Also what etcdctl had written when it was interrupted."""
    path.unlink(missing_ok=True)
    path.with_name(f"{path.name}.part").unlink(missing_ok=True)
