"""Reconciliation of an API node: HAProxy's server list follows the membership."""

import shutil
import socket
import time
from pathlib import Path

from node import files
from node.api.haproxy import SHOW, Change, add, change, remove, render, servers, use
from node.aws import ParameterStore
from node.contract import PROXY_CONFIG, PROXY_SOCKET, PROXY_UNIT
from node.errors import AwsError, NodeError
from node.machine import Machine
from node.machine import run as execute
from node.membership import Member, members
from node.settings import Settings, at

END_SECONDS = 5.0
"""How long the connections of a server that is removed may take to end; they take milliseconds."""


def run(settings: Settings, machine: Machine) -> str:
    """Have HAProxy serve the desired members; what was done."""
    path = at(PROXY_CONFIG)
    try:
        wanted = members(ParameterStore(settings.region).get(settings.parameters["members"]))
    except AwsError as error:
        if not path.exists():
            raise
        return f"kept the etcd members that HAProxy has: {error}"
    if not wanted:
        raise NodeError("the etcd members parameter is empty: run pulumi up")
    _write(path, render(wanted))
    names = ", ".join(sorted(member.name for member in wanted))
    try:
        step = change(servers(ask(SHOW)), wanted)
    except OSError:
        # It does not run: the first time, and while systemd starts it again.
        machine.reload(PROXY_UNIT)
        return f"started HAProxy with {names}"
    except ValueError as error:
        raise NodeError(f"{error}: run systemctl restart {PROXY_UNIT}") from error
    apply(step)
    kept = f"; {', '.join(step.keep)} until etcd has left there" if step.keep else ""
    now = "has" if step == Change(keep=step.keep) else "now has"
    return f"HAProxy {now} {names}{kept}"


def _write(path: Path, config: str) -> None:
    """What HAProxy starts with; what it refuses does not replace what works."""
    if files.read(path) == config:
        return
    candidate = path.with_suffix(".candidate")
    files.write(candidate, config)
    if shutil.which("haproxy"):
        execute("haproxy", "-c", "-f", str(candidate))
    candidate.replace(path)


def apply(step: Change) -> None:
    """Change the servers of the running HAProxy. Stopped anywhere, the next run goes on."""
    for name in step.remove:
        _remove(name)
    for member in step.add:
        _add(member)
    for name in step.use:
        _tell(use(name))


def _add(member: Member) -> None:
    _tell(add(member), "New server registered.")
    _tell(use(member.name))


def _remove(name: str) -> None:
    end, forget = remove(name)
    _tell(end)
    give_up = time.monotonic() + END_SECONDS
    while (answer := ask(forget)) != "Server deleted.":
        if time.monotonic() > give_up:
            raise NodeError(f"HAProxy keeps {name}, and is asked again in a minute: {answer}")
        time.sleep(0.05)


def _tell(command: str, answer: str = "") -> None:
    if (said := ask(command)) != answer:
        raise NodeError(f"HAProxy did not {command.partition(';')[0]}: {said}")


def ask(command: str) -> str:
    """HAProxy's answer to a line of commands; OSError when it does not run."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(str(at(PROXY_SOCKET)))
        connection.sendall(f"{command}\n".encode())
        with connection.makefile() as answer:
            return answer.read().strip()
