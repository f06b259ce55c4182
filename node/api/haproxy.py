"""HAProxy between an API server and the etcd members: its configuration and commands. Pure.

Its servers change while it runs, through its socket. A reload would hand over to a new process:
the old one checks nobody's health any more and would have to end the connections that stayed with
it, all together, and requests that are under way with them (`python -m lab.tests.figures proxy`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from node.contract import ETCD_CLIENT_PORT, ETCD_METRICS_PORT, PROXY_SOCKET
from node.membership import Member

# In the configuration and in `add server`, which knows no default-server.
_SERVER = (
    f"check port {ETCD_METRICS_PORT} inter 500ms fastinter 250ms fall 2 rise 2 "
    "on-marked-down shutdown-sessions"
)

# /readyz, not /health, which a learner answers as a voter does: it would get requests that it must
# refuse. A full database can still be read, and /readyz does not look for that alarm.
# timeout check counts once the connection is made: a machine that is gone does not get that far,
# and is down after two checks of 500 ms. A member whose disk takes 500 ms for each write answers
# within 0.1 to 4.3 s (etcd 3.6.14, under load). With 1 s it was taken out, and where all disks were
# as slow, all of them were, again and again.
# hard-stop-after is for reloads by hand: connections that stayed with the old process would hang
# on a silent member.
_HEAD = f"""\
global
  log stdout format raw local0
  stats socket {PROXY_SOCKET} mode 600 level admin
  maxconn 4000
  hard-stop-after 30s
defaults
  mode tcp
  log global
  option tcplog
  option redispatch
  timeout connect 1s
  timeout check 5s
  timeout client 1h
  timeout server 1h
listen etcd
  bind 127.0.0.1:{ETCD_CLIENT_PORT}
  balance leastconn
  option httpchk GET /readyz
  http-check expect status 200
  default-server {_SERVER}
"""

SHOW = "show servers state etcd"


def render(members: Sequence[Member]) -> str:
    """The configuration for a membership, the same for any order of it."""
    servers = sorted(f"  server {m.name} {m.address}:{ETCD_CLIENT_PORT}\n" for m in members)
    return _HEAD + "".join(servers)


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
    """The servers in an answer to SHOW (HAProxy's management guide, version 1 of the format).

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


def add(member: Member) -> str:
    """The command that adds a server; it gets no connection yet."""
    return f"add server etcd/{member.name} {member.address}:{ETCD_CLIENT_PORT} weight 0 {_SERVER}"


def use(name: str) -> str:
    """The commands that let a new server take connections once its health checks pass.

    A server starts as healthy, and with no connection it would be the first choice: a learner, or
    a member that has not started, would get requests until a check has failed. So its weight is 0
    until it counts as down.
    """
    server = f"etcd/{name}"
    return "; ".join(
        (
            f"enable health {server}",
            f"enable server {server}",
            f"set server {server} health down",
            f"set server {server} weight 1",
        )
    )


def remove(name: str) -> tuple[str, str]:
    """The commands that end a server's connections, and then forget it."""
    server = f"etcd/{name}"
    return (
        f"set server {server} state maint; shutdown sessions server {server}",
        f"del server {server}",
    )


@dataclass(frozen=True)
class Change:
    """What brings HAProxy's servers to a membership."""

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
