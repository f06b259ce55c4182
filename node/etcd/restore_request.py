"""`restore`: the order, which a person gives to one member and all members read in the marker."""

import shutil
from uuid import uuid4

from node.aws import ParameterStore
from node.contract import CACHE, NODE_STALE_SECONDS, SNAPSHOT_PREFIX
from node.errors import NodeError
from node.etcd import cluster_token, member_status, peers, snapshots
from node.etcd.snapshot_bucket import BUMP, Bucket
from node.etcd.snapshots import Content
from node.membership import Formation, Member, formation, members
from node.settings import EtcdSettings, Settings, at

REMEMBERED = 20
"""Cluster tokens that a marker names as superseded: a parameter holds 4 KB, a token is up to 57
characters, and a disk that was away during more restores waits for a person."""


def run(
    settings: Settings, etcd: EtcdSettings, *, snapshot: str, discard_newer_writes: bool = False
) -> str:
    """Order a restore of a snapshot, by key or "latest"; what will happen.

    NodeError, and nothing is changed, when the snapshot is not there or not whole, and when the
    cluster works and nobody said that its newer writes may go.
    """
    bucket, store = Bucket(settings, etcd), ParameterStore(settings.region)
    key = _key(bucket, snapshot)
    _, current = _marker(store, settings)
    wanted = members(store.get(settings.parameters["members"]))
    if current and current.restoring and (current.snapshot, current.members) == (key, wanted):
        return f"{key} is being restored already; see the journal of ha-node on each member"
    founders = current.members if current else ()
    if not discard_newer_writes and (working := _working(settings, store, founders, wanted)):
        raise NodeError(
            f"the cluster works: {working}. A restore would discard every write since {key}; "
            "if that is meant, add --discard-newer-writes"
        )
    content = _inspect(bucket, key)
    token = _write(settings, store, current, wanted=wanted, key=key, bump=_bump(bucket, content))
    return (
        f"{', '.join(m.name for m in wanted)} will found the cluster {token} from {key} "
        f"({content}), each within a minute; their present data is set aside"
    )


def _marker(store: ParameterStore, settings: Settings) -> tuple[int, Formation | None]:
    """The version of the marker's parameter, and what counts; None where nothing does."""
    name = settings.parameters["formation"]
    stored = store.owned([name]).get(name)
    if stored is None:
        raise NodeError(f"parameter {name} does not exist: run pulumi up")
    return stored.version, None if stored.document is None else formation(stored.document)


def _write(
    settings: Settings,
    store: ParameterStore,
    seen: Formation | None,
    *,
    wanted: tuple[Member, ...],
    key: str,
    bump: int,
) -> str:
    """Order the restore, unless the marker has become another one; the new token."""
    version, now = _marker(store, settings)
    # The disk's token, too: the marker may have lost what the disk still knows.
    known = (*(now.superseded if now else ()), now.token if now else None, cluster_token.token())
    superseded = tuple(dict.fromkeys(token for token in known if token))[-REMEMBERED:]
    token = f"{settings.cluster}-{uuid4()}"
    marker = Formation(
        formed=False, token=token, members=wanted, snapshot=key, bump=bump, superseded=superseded
    )
    name = settings.parameters["formation"]
    if (now and now.token) != (seen and seen.token) or (
        store.put(name, marker.document(), version) != version + 1
    ):
        raise NodeError("the marker was written meanwhile, so no restore was ordered: try again")
    return token


def _key(bucket: Bucket, name: str) -> str:
    if name != "latest":
        if not name.startswith(SNAPSHOT_PREFIX):
            raise NodeError(
                f"{name} is no key of a snapshot, {SNAPSHOT_PREFIX}<node>/<time>-<revision>.db"
            )
        return name
    found = bucket.newest()
    if found is None:
        raise NodeError(f"{bucket.name} holds no snapshot under {SNAPSHOT_PREFIX}")
    return found.key


def _bump(bucket: Bucket, content: Content) -> int:
    """How far the new cluster's revisions are above those of the snapshot.

    Above all that the bucket knows of, or a restore of an older snapshot would give revisions again
    that clients hold, and leave a snapshot of the abandoned cluster the newest.
    """
    newest = bucket.newest()
    return max(0, newest.revision - content.revision if newest else 0) + BUMP


def _inspect(bucket: Bucket, key: str) -> Content:
    path = at(f"{CACHE}/check/snapshot.db")
    shutil.rmtree(path.parent, ignore_errors=True)
    try:
        return snapshots.fetch(bucket, key, path)
    finally:
        shutil.rmtree(path.parent, ignore_errors=True)


def _working(settings: Settings, store: ParameterStore, *lists: tuple[Member, ...]) -> str:
    """Who says that the cluster works; empty when nobody does.

    Members are asked directly, and their reports are read as well: this member may be the one that
    is cut off.
    """
    known = {member.name: member for group in lists for member in group}
    for name, member in sorted(known.items()):
        if peers.works(settings, member.address):
            return f"{name} has a leader"
    reports = member_status.reports(store, settings, list(known.values()))
    for name, report in sorted(reports.items()):
        if report.leader and report.fresh:
            return f"{name} reported within {NODE_STALE_SECONDS} s that it leads"
    return ""
