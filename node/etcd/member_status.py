"""Status of an etcd node: what it tells Parameter Store, and what others told it.

version       which version of its parameter this is (node.owned)
instanceId    the machine, null when unknown
time          of this node's clock, for people
state         an EtcdState
memberId      the id that etcd has, last had, or is about to start with; null before the first
leader        whether it leads
healthy       whether a linearizable read through it succeeds
members       Role by name, null when etcd does not know for sure
dbSize        bytes of the database file; dbSizeInUse, of what of it is in use; dbSizeQuota, at most
snapshot      time and revision of the newest snapshot that this node knows to be stored, and error
              of its last attempt; each null where there is none
disk          bytes of the data volume's file system: size, free; problem, null when there is none
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from node import files
from node.aws import ParameterStore, Stored
from node.contract import NODE_STALE_SECONDS, RUNTIME, EtcdState
from node.etcd import disk, local_member, snapshot_attempt
from node.membership import Member
from node.settings import EtcdSettings, Settings, at
from node.status import stamped

_KEPT = (EtcdState.EMPTY, EtcdState.JOINING, EtcdState.LEFT)
"""States that `reconcile` decides and that hold while etcd does not answer."""


@dataclass(frozen=True)
class Report:
    """What another node said."""

    state: str
    member_id: str | None
    fresh: bool
    """Whether it was said within NODE_STALE_SECONDS, by Parameter Store's own clock."""
    leader: bool = False
    healthy: bool = False
    size: int = 0
    """Bytes of the database file; 0 when unknown."""
    in_use: int = 0
    """Bytes of it that hold something."""


def read(stored: Stored | None) -> Report | None:
    """A report; None where there is none, or a damaged one."""
    document = stored.document if stored else None
    if stored is None or not isinstance(document, dict) or "state" not in document:
        return None
    return Report(
        state=str(document["state"]),
        member_id=document.get("memberId"),
        fresh=abs(stored.age) < NODE_STALE_SECONDS,
        leader=document.get("leader") is True,
        healthy=document.get("healthy") is True,
        size=document.get("dbSize") or 0,
        in_use=document.get("dbSizeInUse") or 0,
    )


def reports(
    store: ParameterStore, settings: Settings, nodes: Sequence[Member]
) -> Mapping[str, Report]:
    """What the nodes of members last said, by name; AwsError when AWS does not answer."""
    paths = {settings.status_of(member.name): member.name for member in nodes}
    found = {paths[path]: read(stored) for path, stored in store.owned(list(paths)).items()}
    return {name: report for name, report in found.items() if report is not None}


def write(settings: Settings, etcd: EtcdSettings) -> dict[str, Any]:
    """Tell Parameter Store how etcd is; what it was told; AwsError when AWS does not take it."""
    with _exclusive():
        store = ParameterStore(settings.region)
        document = local_member.status(settings, etcd)
        if document is None:
            before = _before(store, settings)
            state = before.get("state") if before.get("state") in _KEPT else EtcdState.WAITING
            document = _silent(str(state), before.get("memberId"))
        _put(store, settings, document)
    return document


def declare(settings: Settings, state: EtcdState, member_id: str | None) -> None:
    """Tell Parameter Store what `reconcile` decided, immediately and before it acts on it.

    AwsError when AWS does not take it.
    """
    with _exclusive():
        store = ParameterStore(settings.region)
        before = _before(store, settings)
        if (before.get("state"), before.get("memberId")) != (state, member_id):
            _put(store, settings, _silent(state, member_id))


def busy(settings: Settings, etcd: EtcdSettings) -> None:
    """Tell Parameter Store that this member is about to answer nobody for a while.

    AwsError when AWS does not take it.
    """
    with _exclusive():
        document = local_member.status(settings, etcd) or _silent(EtcdState.WAITING, None)
        _put(ParameterStore(settings.region), settings, {**document, "healthy": False})


def last_id(document: object) -> str | None:
    """The member id in a node's own last status."""
    found = document.get("memberId") if isinstance(document, dict) else None
    return str(found) if found else None


def _before(store: ParameterStore, settings: Settings) -> dict[str, Any]:
    path = settings.parameters["status"]
    stored = store.owned([path]).get(path)
    return stored.document if stored and isinstance(stored.document, dict) else {}


def _silent(state: str, member_id: object) -> dict[str, Any]:
    """The status of an etcd that does not answer."""
    return {
        "state": state,
        "memberId": member_id,
        "leader": False,
        "healthy": False,
        "members": None,
        "dbSize": None,
        "dbSizeInUse": None,
        "dbSizeQuota": None,
    }


def _put(store: ParameterStore, settings: Settings, document: Mapping[str, Any]) -> None:
    store.insist(settings.parameters["status"], stamped({**document, **_storage(document)}))


def _storage(document: Mapping[str, Any]) -> dict[str, Any]:
    """What is known without etcd."""
    space = disk.space()
    return {
        "snapshot": snapshot_attempt.told(),
        "disk": space
        and {
            "size": space.size,
            "free": space.free,
            "problem": space.problem(document.get("dbSizeQuota")),
        },
    }


@contextmanager
def _exclusive() -> Iterator[None]:
    """Between the look at the last status and the write: `report` must not undo `reconcile`."""
    with files.locked(at(f"{RUNTIME}/status.lock")):
        yield
