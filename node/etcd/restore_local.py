"""Restore, on one node: set the old data aside, and found the cluster from a snapshot.

What is done here can be interrupted anywhere and is done again by the next run:

    data of another cluster token  renamed to `data.<its token>`, in one step
    data from the snapshot         made alongside it as `restoring`, then the token, then renamed
"""

import re
import shutil
from pathlib import Path

from node import files
from node.contract import CACHE, ETCD_DATA, ETCD_MOUNT, ETCD_PEER_PORT, ETCD_UNIT
from node.etcd import cluster_token, disk, snapshots
from node.etcd.snapshot_bucket import BUMP, Bucket
from node.machine import Machine, run
from node.membership import Formation
from node.settings import OWNER, EtcdSettings, Settings, at

WAL_ROOM = 256 * snapshots.MIB
"""Bytes that a member takes when it starts: files of the write-ahead log are made at full size."""


def set_aside(machine: Machine) -> str:
    """Take the data of another cluster token out of etcd's way, and keep it if there is room."""
    kept = _move_away(machine)
    # What takes its place will be about as large.
    if not _fits(_size(kept) + WAL_ROOM):
        shutil.rmtree(kept)
        return f"removed {kept.name}, data of another cluster token: there was no room to keep it"
    return f"set data of another cluster token aside as {kept.name}"


def found_from_snapshot(
    settings: Settings, etcd: EtcdSettings, machine: Machine, marker: Formation
) -> str:
    """Found the marker's cluster from its snapshot, on a disk that is not of it; what was done.

    NodeError when the snapshot is not to be had, there is no room, or it cannot be restored.
    """
    key = str(marker.snapshot)
    path = at(f"{CACHE}/restore/{Path(key).name}")
    # First, so that nothing is given up for a snapshot that cannot be had.
    content = snapshots.fetch(Bucket(settings, etcd), key, path)
    data = at(ETCD_DATA)
    if machine.active(ETCD_UNIT) or (data.exists() and any(data.iterdir())):
        _move_away(machine)
    restored = _restore(settings, etcd, marker, path, content.size)
    for item in (restored, *restored.rglob("*")):
        files.own(item, OWNER["etcd"])
        files.sync(item)
    cluster_token.record(marker)
    restored.replace(data)
    files.sync(data.parent)
    shutil.rmtree(path.parent)
    machine.start(ETCD_UNIT)
    return f"restored {key} ({content}) and started etcd in the cluster {marker.token}"


def _restore(
    settings: Settings, etcd: EtcdSettings, marker: Formation, path: Path, size: int
) -> Path:
    """A data directory alongside the one that etcd uses. NodeError when there is no room for it."""
    directory = at(f"{ETCD_MOUNT}/restoring")
    shutil.rmtree(directory, ignore_errors=True)
    if not _fits(size + WAL_ROOM):
        _forget()
    snapshots.need_room(at(ETCD_MOUNT), size + WAL_ROOM)
    run(
        "etcdutl",
        "snapshot",
        "restore",
        str(path),
        f"--data-dir={directory}",
        f"--name={settings.name}",
        f"--initial-cluster={','.join(f'{m.name}={m.peer_url}' for m in marker.members)}",
        f"--initial-cluster-token={marker.token}",
        f"--initial-advertise-peer-urls=https://{etcd.address}:{ETCD_PEER_PORT}",
        f"--bump-revision={marker.bump or BUMP}",
        "--mark-compacted",
        seconds=snapshots.patience(size),
    )
    return directory


def _move_away(machine: Machine) -> Path:
    """Stop etcd and rename its data, in the place of what was set aside before; the new name."""
    machine.stop(ETCD_UNIT)
    _forget()
    data = at(ETCD_DATA)
    suffix = re.sub(r"[^A-Za-z0-9-]", "_", cluster_token.token() or "unknown")
    kept = data.with_name(f"{data.name}.{suffix}")
    data.rename(kept)
    files.sync(data.parent)
    disk.data_directory()
    return kept


def _forget() -> None:
    """Remove what was set aside."""
    for older in at(ETCD_MOUNT).glob(f"{Path(ETCD_DATA).name}.*"):
        shutil.rmtree(older)


def _fits(size: int) -> bool:
    return shutil.disk_usage(at(ETCD_MOUNT)).free >= size + snapshots.SPARE


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())
