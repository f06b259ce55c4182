"""The order to restore: one member is told by a person, all members read it in the marker."""

import shutil
from uuid import uuid4

from node.aws import ParameterStore
from node.errors import NodeError
from node.etcd import peers, snapshots, status
from node.etcd.bucket import BUMP, PREFIX, Bucket
from node.etcd.snapshots import Content
from node.membership import Member, formation, members
from node.settings import CACHE, EtcdSettings, Settings, at

DISCARD = "--discard-newer-writes"
USAGE = f"restore latest|{PREFIX}<node>/<time>-<revision>.db [{DISCARD}]"


def order(settings: Settings, mine: EtcdSettings, *arguments: str) -> str:
    """Have the cluster found anew from a snapshot; what will happen.

    NodeError, and nothing is changed, when the snapshot is not there or not whole, and when the
    cluster works and nobody said that its newer writes may go.
    """
    names = [argument for argument in arguments if argument != DISCARD]
    if len(names) != 1 or names[0].startswith("-"):
        raise NodeError(f"usage: ha-node {USAGE}")
    bucket, store = Bucket(settings, mine), ParameterStore(settings.region)
    key = _key(bucket, names[0])
    marker = store.get(settings.parameters["formation"])
    current = formation(marker)
    wanted = members(store.get(settings.parameters["members"]))
    if not current.formed and (current.snapshot, current.members) == (key, wanted):
        return f"{key} is being restored already; see the journal of node-reconcile on each member"
    if DISCARD not in arguments and (working := _working(settings, store, current.members, wanted)):
        raise NodeError(
            f"the cluster works: {working}. A restore would discard every write since {key}; "
            f"if that is meant, add {DISCARD}"
        )
    content = _inspect(bucket, key)
    token = f"{settings.cluster}-{uuid4()}"
    store.put(
        settings.parameters["formation"],
        {
            "formed": False,
            "token": token,
            "members": [{"name": m.name, "address": m.address} for m in wanted],
            "snapshot": key,
            "bumpRevision": _bump(bucket, content),
        },
    )
    return (
        f"{', '.join(m.name for m in wanted)} will found the cluster {token} from {key} "
        f"({content}), each within a minute; their present data is set aside"
    )


def _key(bucket: Bucket, name: str) -> str:
    if name != "latest":
        if not name.startswith(PREFIX):
            raise NodeError(f"{name} is no key of a snapshot; usage: ha-node {USAGE}")
        return name
    found = bucket.newest()
    if found is None:
        raise NodeError(f"{bucket.name} holds no snapshot under {PREFIX}")
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
    reports = status.reports(store, settings, list(known.values()))
    for name, report in sorted(reports.items()):
        if report.leader and report.fresh:
            return f"{name} reported within {status.FRESH_SECONDS} s that it leads"
    return ""
