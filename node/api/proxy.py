"""Reconciliation of an API node: HAProxy's server list follows the membership."""

import shutil
import time
from pathlib import Path

from node import files
from node.api import proxy_socket
from node.api.haproxy import (
    BACKENDS,
    READY,
    Change,
    add,
    change,
    remove,
    render,
    servers,
    show,
    use,
)
from node.aws import ParameterStore
from node.contract import PROXY_CONFIG, PROXY_UNIT
from node.errors import AwsError, NodeError
from node.machine import Machine
from node.machine import run as execute
from node.membership import members
from node.settings import Settings, at

END_SECONDS = 5.0
"""How long the connections of a server that is removed may take to end; they take milliseconds."""


def run(settings: Settings, machine: Machine) -> str:
    """Have HAProxy serve the desired members; what was done.

    NodeError when the list is empty or damaged, when there is neither Parameter Store nor a
    configuration from before, and as `apply`.
    """
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
        steps = {
            backend: change(servers(proxy_socket.ask(show(backend))), wanted)
            for backend in BACKENDS
        }
    except OSError:
        # It does not run: the first time, and while systemd starts it again.
        machine.reload(PROXY_UNIT)
        return f"started HAProxy with {names}"
    except ValueError as error:
        raise NodeError(f"{error}: run systemctl restart {PROXY_UNIT}") from error
    for backend, step in steps.items():
        apply(backend, step)
    kept = (
        f"; {', '.join(steps[READY].keep)} until etcd has left there" if steps[READY].keep else ""
    )
    now = "has" if all(step == Change(keep=step.keep) for step in steps.values()) else "now has"
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


def apply(backend: str, step: Change) -> None:
    """Change a backend of the running HAProxy. Stopped anywhere, the next run goes on.

    NodeError when HAProxy refuses something, OSError when it does not run.
    """
    for name in step.remove:
        _remove(backend, name)
    for member in step.add:
        proxy_socket.tell(add(backend, member), "New server registered.")
        proxy_socket.tell(use(backend, member.name))
    for name in step.use:
        proxy_socket.tell(use(backend, name))


def _remove(backend: str, name: str) -> None:
    end, forget = remove(backend, name)
    proxy_socket.tell(end)
    give_up = time.monotonic() + END_SECONDS
    while (answer := proxy_socket.ask(forget)) != "Server deleted.":
        if time.monotonic() > give_up:
            raise NodeError(f"HAProxy keeps {name}, and is asked again in a minute: {answer}")
        time.sleep(0.05)
