"""HAProxy between an API server and the etcd members: its configuration and commands. Pure.

Every member is a server of two backends, and connections go to those that are ready while there are
any: while no member knows a leader they wait at members that are alive for the next one, instead of
being refused into the growing pauses of gRPC's backoff (1, 1.6, 2.6 s, up to 120).

Servers change while HAProxy runs, through its socket. A reload would hand over to a new process:
the old one checks nobody's health any more and would have to end the connections that stayed with
it, all together, and requests that are under way with them (`python -m lab.tests.figures proxy`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from node.contract import ETCD_CLIENT_PORT, ETCD_METRICS_PORT, PROXY_SOCKET
from node.membership import Member

READY, ALIVE = "etcd", "etcd-alive"
BACKENDS: Mapping[str, str] = {
    READY: "/readyz",
    ALIVE: "/readyz?exclude=linearizable_read",
}
"""What a member is asked for its health, by backend: whether it serves, and whether it could if it
knew a leader. /readyz, not /health, which a learner answers as a voter does: it would get requests
that it must refuse. A full database can still be read, and /readyz does not look for that alarm."""

# In the configuration and in `add server`, which knows no default-server.
# A machine that is gone is down after two checks: 250 + 250 + 100 + 250 ms at most, since a check's
# connection may take as long as `timeout connect`.
_SERVER = (
    f"check port {ETCD_METRICS_PORT} inter 250ms fastinter 100ms fall 2 rise 2 "
    "on-marked-down shutdown-sessions"
)

# redispatch 1: a member that is gone and not yet down costs a new connection 250 ms, not four times
# as much.
# timeout check counts once the connection is made. A member whose disk takes 500 ms for each write
# answers within 0.1 to 4.3 s (etcd 3.6.14, under load): with 1 s it was taken out, and where all
# disks were as slow, all of them were, again and again. Members that have lost their leader are
# found by node/api/leader_loss.py, which is faster and does not look at the clock alone.
# nbthread 1: one API server's requests to etcd are little work, and threads, one a processor unless
# they are counted, wake each other for every check.
# hard-stop-after is for reloads by hand: connections that stayed with the old process would hang
# on a silent member.
_HEAD = f"""\
global
  log stdout format raw local0
  stats socket {PROXY_SOCKET} mode 660 level admin
  maxconn 4000
  nbthread 1
  hard-stop-after 30s
defaults
  mode tcp
  log global
  option tcplog
  option redispatch 1
  timeout connect 250ms
  timeout check 5s
  timeout client 1h
  timeout server 1h
frontend kube-apiserver
  bind 127.0.0.1:{ETCD_CLIENT_PORT}
  use_backend {READY} if {{ nbsrv({READY}) gt 0 }}
  default_backend {ALIVE}
"""


def render(members: Sequence[Member]) -> str:
    """The configuration for a membership, the same for any order of it."""
    servers = sorted(f"  server {m.name} {m.address}:{ETCD_CLIENT_PORT}\n" for m in members)
    return _HEAD + "".join(
        f"backend {backend}\n"
        "  balance leastconn\n"
        f"  option httpchk GET {path}\n"
        "  http-check expect status 200\n"
        f"  default-server {_SERVER}\n" + "".join(servers)
        for backend, path in BACKENDS.items()
    )


def show(backend: str) -> str:
    """The command that asks for a backend's servers."""
    return f"show servers state {backend}"


@dataclass(frozen=True)
class Server:
    """A server that HAProxy has."""

    name: str
    address: str
    up: bool
    """Whether its health checks pass."""
    used: bool
    """Whether it gets connections while they do."""


def servers(answer: str) -> tuple[Server, ...]:
    """The servers in an answer to `show` (HAProxy's management guide, version 1 of the format).

    Raises ValueError when it is none.
    """
    version, header, *lines = [*answer.strip().splitlines(), "", ""]
    if version != "1" or not header.startswith("# be_id "):
        raise ValueError(f"HAProxy says: {version or 'nothing'}")
    names = header.removeprefix("# ").split()
    rows = [dict(zip(names, line.split(), strict=True)) for line in lines if line.strip()]
    return tuple(
        Server(
            row["srv_name"],
            row["srv_addr"],
            up=row["srv_op_state"] != "0",
            used=row["srv_admin_state"] == "0" and row["srv_uweight"] != "0",
        )
        for row in rows
    )


def add(backend: str, member: Member) -> str:
    """The command that adds a server; it gets no connection yet."""
    address = f"{member.address}:{ETCD_CLIENT_PORT}"
    return f"add server {backend}/{member.name} {address} weight 0 {_SERVER}"


def use(backend: str, name: str) -> str:
    """The commands that let a new server take connections once its health checks pass.

    A server starts as healthy, and with no connection it would be the first choice: a learner, or
    a member that has not started, would get requests until a check has failed. So its weight is 0
    until it counts as down.
    """
    server = f"{backend}/{name}"
    return "; ".join(
        (
            f"enable health {server}",
            f"enable server {server}",
            f"set server {server} health down",
            f"set server {server} weight 1",
        )
    )


def remove(backend: str, name: str) -> tuple[str, str]:
    """The commands that end a server's connections, and then forget it."""
    server = f"{backend}/{name}"
    return (
        f"set server {server} state maint; shutdown sessions server {server}",
        f"del server {server}",
    )


def end(name: str) -> str:
    """The commands that end a member's connections; others are made at once."""
    return "; ".join(f"shutdown sessions server {backend}/{name}" for backend in BACKENDS)


def leave(name: str) -> str:
    """The commands that end a member's connections until its health checks pass again."""
    return f"set server {READY}/{name} health down; {end(name)}"


@dataclass(frozen=True)
class Change:
    """What brings the servers of a backend to a membership."""

    add: tuple[Member, ...] = ()
    use: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    """Not wanted, but etcd still serves there."""


def change(have: Sequence[Server], wanted: Sequence[Member]) -> Change:
    """What to change.

    A server that is not wanted any more stays until its etcd no longer answers: the member is
    leaving, one after the other, and may be needed until it has left. Its connections end with it,
    and are not ended twice.
    """
    addresses = {member.name: member.address for member in wanted}
    moved = {s.name for s in have if addresses.get(s.name, s.address) != s.address}
    leaving = [s for s in have if s.name not in addresses]
    kept = {s.name: s for s in have if s.name not in moved}
    missing = [member for member in wanted if member.name not in kept]
    return Change(
        add=tuple(sorted(missing, key=lambda member: member.name)),
        use=tuple(sorted(s.name for s in kept.values() if s.name in addresses and not s.used)),
        remove=tuple(sorted({*moved, *(s.name for s in leaving if not (s.up and s.used))})),
        keep=tuple(sorted(s.name for s in leaving if s.up and s.used)),
    )
