"""This machine's etcd: its disk, and what it says of itself and its cluster."""

import json
from http.client import HTTPConnection
from typing import Any

from node import web
from node.errors import NodeError
from node.machine import run
from node.settings import WAL, EtcdSettings, Settings, at


def initialised() -> bool:
    """Whether the disk holds a member: etcd looks for the same files (wal.Exist)."""
    return any(at(WAL).glob("*.wal"))


def healthy(mine: EtcdSettings) -> bool:
    """A linearizable read through the local etcd; a full database can still be read."""
    try:
        web.ask(HTTPConnection(mine.address, 2381, timeout=5), "/health?exclude=NOSPACE")
    except NodeError:
        return False
    return True


def report(settings: Settings, mine: EtcdSettings) -> dict[str, object]:
    """The member's part of the status: identity and role as it knows them, without its peers."""
    try:
        status = _ctl(settings, mine, "endpoint", "status")[0]["Status"]
    except NodeError:
        return {"state": "waiting", "memberId": None, "leader": False, "healthy": False}
    me = status["header"]["member_id"]
    return {
        "state": "joining" if status.get("isLearner") else "member",
        "memberId": f"{me:x}",
        "leader": status.get("leader") == me,
        "healthy": healthy(mine),
    }


def started(settings: Settings, mine: EtcdSettings) -> frozenset[str] | None:
    """Members that ever started; None when there is no leader to ask.

    A member publishes its name and client URLs through the log once it runs, so the local etcd
    knows of all of them without a port open between them but the peers'.
    """
    try:
        members = _ctl(settings, mine, "member", "list")["members"]
    except NodeError:
        return None
    return frozenset(m["name"] for m in members if m.get("clientURLs"))


def _ctl(settings: Settings, mine: EtcdSettings, *command: str) -> Any:  # noqa: ANN401  JSON
    """The answer of etcdctl, as this member, to a question to this member."""
    pki = settings.pki
    done = run(
        "etcdctl",
        f"--endpoints=https://{mine.address}:2379",
        f"--cacert={pki}/ca.crt",
        f"--cert={pki}/server.crt",
        f"--key={pki}/server.key",
        "--write-out=json",
        "--command-timeout=3s",
        *command,
    )
    return json.loads(done.stdout)
