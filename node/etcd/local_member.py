"""Local etcd member: its disk, and what it says of itself and its cluster."""

import json
import re
from contextlib import suppress
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from node import web
from node.contract import ETCD_CLIENT_PORT, ETCD_METRICS_PORT, ETCD_WAL, EtcdState, Role
from node.errors import NodeError
from node.etcd.members import Entry, entries
from node.machine import run
from node.settings import EtcdSettings, Settings, at

STALL = 120
"""Seconds in which a snapshot that is being saved must have grown."""

_ACTIVE = re.compile(r'^etcd_network_active_peers\{.*Remote="([0-9a-f]+)".*\} 1$', re.MULTILINE)


def initialised() -> bool:
    """Whether the disk holds a member: etcd looks for the same files (wal.Exist)."""
    return any(at(ETCD_WAL).glob("*.wal"))


def healthy(etcd: EtcdSettings) -> bool:
    """A linearizable read through the local etcd; a full database can still be read."""
    try:
        web.ask(
            HTTPConnection(etcd.address, ETCD_METRICS_PORT, timeout=5), "/health?exclude=NOSPACE"
        )
    except NodeError:
        return False
    return True


def status(settings: Settings, etcd: EtcdSettings) -> dict[str, Any] | None:
    """The member's status as it knows it, without its peers; None when it does not answer."""
    found = facts(settings, etcd)
    if found is None:
        return None
    listed = membership(settings, etcd)
    return {
        "state": EtcdState.JOINING if found.get("isLearner") else EtcdState.MEMBER,
        "memberId": f"{found['header']['member_id']:x}",
        "leader": leads(found),
        "healthy": healthy(etcd),
        "members": listed and {e.name or e.address: role(e) for e in listed},
        "dbSize": found.get("dbSize"),
        "dbSizeInUse": found.get("dbSizeInUse"),
        "dbSizeQuota": found.get("dbSizeQuota"),
    }


def role(entry: Entry) -> Role:
    """What a status calls it."""
    return Role.VOTER if entry.voter else Role.LEARNER


def leading(settings: Settings, etcd: EtcdSettings) -> str | None:
    """The local member's id when it leads; None when another does, or none."""
    found = facts(settings, etcd)
    return f"{found['header']['member_id']:x}" if found and leads(found) else None


def membership(settings: Settings, etcd: EtcdSettings) -> tuple[Entry, ...] | None:
    """The membership by a linearizable read; None when there is no leader to ask.

    A member publishes its name and client URLs through the log once it runs, so the local etcd
    knows of all of them without a port open between them but the peers'.
    """
    try:
        return entries(ctl(settings, etcd, "member", "list")["members"])
    except NodeError:
        return None


def connected(etcd: EtcdSettings) -> frozenset[str]:
    """Ids of the members that the local etcd believes to have a connection to (peers.answering).

    NodeError when it does not answer.
    """
    text = web.ask(HTTPConnection(etcd.address, ETCD_METRICS_PORT, timeout=5), "/metrics")
    return frozenset(_ACTIVE.findall(text))


def add_learner(settings: Settings, etcd: EtcdSettings, peer_url: str) -> None:
    """Add a member that counts for nothing yet. etcd names it once it runs.

    NodeError when etcd refuses.
    """
    ctl(settings, etcd, "member", "add", "learner", f"--peer-urls={peer_url}", "--learner")


def promote(settings: Settings, etcd: EtcdSettings, member: str) -> None:
    """Make a learner a voter; NodeError while it is not in sync with the leader."""
    ctl(settings, etcd, "member", "promote", member)


def remove(settings: Settings, etcd: EtcdSettings, member: str) -> None:
    """Take a member out; NodeError when etcd sees the quorum in danger.

    That it was agreed on is on the disk only with the next write. Of two members, the one that
    stays would after a power failure wait for ever for the other one, so a write follows.
    """
    ctl(settings, etcd, "member", "remove", member)
    with suppress(NodeError):
        ctl(settings, etcd, "lease", "grant", "1")


def transfer(settings: Settings, etcd: EtcdSettings, member: str) -> None:
    """Hand leadership to a member; NodeError when etcd refuses."""
    ctl(settings, etcd, "move-leader", member)


def leads(found: dict[str, Any]) -> bool:
    """Whether a member leads, by its facts."""
    return bool(found.get("leader") == found["header"]["member_id"])


def facts(settings: Settings, etcd: EtcdSettings) -> dict[str, Any] | None:
    """What the local etcd says of itself, in its own words; None when it does not answer.

    JSON leaves out what is zero: without a leader there is no "leader".
    """
    try:
        found: dict[str, Any] = ctl(settings, etcd, "endpoint", "status")[0]["Status"]
    except NodeError:
        return None
    return found


def save(settings: Settings, etcd: EtcdSettings, path: Path) -> None:
    """Save a snapshot of the local etcd's database, however long it takes.

    etcdctl itself sets no limit to this command when `--command-timeout` is not given. What it has
    so far is in a file next to the path.

    NodeError when it fails, or gets no further for STALL.
    """
    part = path.with_name(f"{path.name}.part")
    run(
        *_etcdctl(settings, etcd),
        # Answers to a ping queue up behind the data; the default of 6 s is less than STALL.
        f"--keepalive-timeout={STALL}s",
        "snapshot",
        "save",
        str(path),
        seconds=STALL,
        progress=lambda: part.stat().st_size if part.exists() else 0,
    )


def ctl(settings: Settings, etcd: EtcdSettings, *command: str, seconds: int = 3) -> Any:  # noqa: ANN401  JSON
    """The answer of etcdctl, as this member, to a question to this member; None for mere text.

    NodeError when etcd refuses or does not answer.
    """
    done = run(
        *_etcdctl(settings, etcd),
        f"--command-timeout={seconds}s",
        *command,
        # etcdctl keeps its own time; this is for one that does not.
        seconds=seconds + 60,
    )
    return json.loads(done.stdout) if done.stdout.startswith(("{", "[")) else None


def _etcdctl(settings: Settings, etcd: EtcdSettings) -> tuple[str, ...]:
    pki = settings.pki
    return (
        "etcdctl",
        f"--endpoints=https://{etcd.address}:{ETCD_CLIENT_PORT}",
        f"--cacert={pki}/ca.crt",
        f"--cert={pki}/server.crt",
        f"--key={pki}/server.key",
        "--write-out=json",
    )
