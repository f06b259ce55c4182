"""HAProxy's side of a load balancer's node: its configuration, its commands, its answers. Pure.

Two backends for a target group: one whose servers are checked, and `.all`, which gets the
connections while too few of them are healthy (fail open). The configuration names no server: they
come and go by commands, which leave the connections of the others alone. Only a process that takes
over from another begins with those that had connections there. For Debian's HAProxy 2.6 and 3.0.
"""

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from lab.machines.load_balancer.nlb import HealthCheck, LoadBalancer, Node, Target, TargetGroup

SOCKET = "haproxy.sock"
"""Where it takes commands, in its directory."""

SHOW = "show stat -1 4 -1"
"""All servers."""

# A client whose target is silent hears nothing from AWS either, so its own patience must end first:
# hence an hour to connect, no second try, and no other target. Connections are not logged: there is
# one per request of some clients.
_HEAD = f"""\
global
  stats socket unix@{SOCKET} mode 600 level admin expose-fd listeners
  log stdout format iso local0
  maxconn 4000
  nbthread 1
defaults
  mode tcp
  retries 0
  timeout connect 1h
"""


def render(load_balancer: LoadBalancer, node: Node, used: Collection[str] = ()) -> str:
    """The configuration of a node; `used` are the targets that it begins with, by name."""
    parts = [_HEAD]
    for listener in load_balancer.listeners:
        group = load_balancer.targets[listener.group]
        parts.append(
            f"frontend port-{listener.port}\n"
            f"  bind {node.address}:{listener.port}\n"
            f"  timeout client {listener.idle}s\n"
            f"  use_backend {_all(group)} if {{ nbsrv({group.name}) lt {group.fewest} }}\n"
            f"  default_backend {group.name}\n"
        )
    for name, group in sorted(load_balancer.targets.items()):
        idle = max((one.idle for one in load_balancer.listeners if one.group == name), default=1)
        # NLB spreads connections by a hash, not in turn.
        backend = f"  balance random(1)\n  timeout server {idle}s\n"
        # What servers are added with belongs to the configuration, too.
        options = f"  # {_server(group)}\n"
        parts.append(f"backend {name}\n{options}{backend}{_check(group.check, node)}")
        kept = sorted({t.name for t in group.seen_from(node)[0]} & set(used))
        parts += [f"  server {one} {one} weight 1 {_server(group)}\n" for one in kept]
        parts.append(f"backend {_all(group)}\n{backend}")
        parts += [f"  server {one} {one} weight 1\n" for one in kept]
    return "".join(parts)


def _all(group: TargetGroup) -> str:
    return f"{group.name}.all"


def _check(check: HealthCheck, node: Node) -> str:
    # The time for the answer; a target that does not even take the connection has an interval.
    lines = f"  log global\n  option log-health-checks\n  timeout check {check.timeout}s\n"
    if check.protocol not in {"HTTP", "HTTPS"}:
        return lines
    headers = f"hdr Host {node.address} hdr User-Agent ELB-HealthChecker/2.0"
    return (
        f"{lines}  option httpchk\n"
        f"  http-check send meth GET uri {_word(check.path)} ver HTTP/1.1 {headers}\n"
        f"  http-check expect status {check.matcher}\n"
    )


def _word(text: str) -> str:
    """A text as one word of the configuration."""
    return re.sub(r"""([\\\s#"'])""", r"\\\1", text)


def _server(group: TargetGroup) -> str:
    check = group.check
    parts = ["check"]
    if check.protocol == "HTTPS":
        parts.append("check-ssl verify none")
    if check.port is not None:
        parts.append(f"port {check.port}")
    parts.append(f"inter {check.interval}s fall {check.unhealthy} rise {check.healthy}")
    if group.terminate_unhealthy:
        parts.append("on-marked-down shutdown-sessions")
    return " ".join(parts)


def add(group: TargetGroup, target: Target) -> tuple[str, ...]:
    """Commands for a new target. Its weight is 0 until its first check has ended: a server begins
    as healthy."""
    checked, every = f"{group.name}/{target.name}", f"{_all(group)}/{target.name}"
    return (
        f"add server {checked} {target.name} weight 0 {_server(group)}",
        f"add server {every} {target.name} weight 0",
        f"enable health {checked}",
        f"enable server {checked}",
        f"enable server {every}",
    )


def use(group: TargetGroup, name: str) -> tuple[str, ...]:
    """Commands that let a target have connections, while it is healthy."""
    return tuple(
        f"set server {server} {what}"
        for server in (f"{group.name}/{name}", f"{_all(group)}/{name}")
        for what in ("state ready", "weight 1")
    )


def drain(group: TargetGroup, name: str) -> tuple[str, ...]:
    """Commands that keep a target from new connections. A server that is down does not show that
    it drains, the one that is never checked does, so it comes last."""
    return (
        f"set server {group.name}/{name} state drain",
        f"set server {_all(group)}/{name} state drain",
    )


def end_sessions(group: TargetGroup, name: str) -> tuple[str, ...]:
    """Commands that end a target's connections."""
    return (
        f"shutdown sessions server {group.name}/{name}",
        f"shutdown sessions server {_all(group)}/{name}",
    )


def remove(group: TargetGroup, name: str) -> tuple[str, ...]:
    """Commands that forget a target without connections."""
    return tuple(
        f"{command} {server}{state}"
        for server in (f"{group.name}/{name}", f"{_all(group)}/{name}")
        for command, state in (("set server", " state maint"), ("del server", ""))
    )


@dataclass(frozen=True)
class Server:
    """A server as HAProxy sees it."""

    backend: str
    name: str
    checked: bool
    """A check of it has ended."""
    up: bool
    used: bool
    """It gets connections while it is up, as far as it shows."""
    since: int
    """Seconds since it turned."""
    sessions: int


def servers(answer: str) -> tuple[Server, ...]:
    """The servers in an answer to SHOW; raises ValueError when it is none."""
    header, *lines = answer.strip().splitlines() or [""]
    if not header.startswith("# pxname,svname,"):
        raise ValueError(f"HAProxy answers {header or 'nothing'!r}")
    rows = csv.DictReader([header.removeprefix("# "), *lines])
    return tuple(
        Server(
            backend=row["pxname"],
            name=row["svname"],
            checked=row["check_status"].removeprefix("* ") not in {"", "UNK", "INI"},
            up=not row["status"].startswith(("DOWN", "MAINT")),
            used=row["weight"] != "0" and not row["status"].startswith("DRAIN"),
            since=int(row["lastchg"] or 0),
            sessions=int(row["scur"] or 0),
        )
        for row in rows
    )


def of_group(group: TargetGroup, found: Iterable[Server]) -> tuple[dict[str, Server], ...]:
    """The servers of a group by name: the checked ones, and those of the backend for all."""
    by_backend: dict[str, dict[str, Server]] = {group.name: {}, _all(group): {}}
    for server in found:
        if server.backend in by_backend:
            by_backend[server.backend][server.name] = server
    return by_backend[group.name], by_backend[_all(group)]
