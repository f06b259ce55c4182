"""Network namespaces: nothing of the lab's network is in the host's own. What runs a program of the
host raises LabError."""

import contextlib
import ctypes
import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from lab.lab_errors import LabError
from lab.machines.host_programs import run

DIRECTORY = Path("/run/netns")
"""Where iproute2 keeps namespaces by name."""

_CLONE_NEWNET = 0x40000000
_T = TypeVar("_T")


def existing(prefix: str) -> list[str]:
    """Names of the namespaces that begin with a prefix."""
    return sorted(path.name for path in DIRECTORY.glob(f"{prefix}-*"))


def create(name: str) -> None:
    """Make a namespace, unless it is there."""
    if not (DIRECTORY / name).exists():
        run("ip", "netns", "add", name)


def processes(name: str) -> list[int]:
    """Ids of the processes in a namespace."""
    return [int(line) for line in run("ip", "netns", "pids", name).split()]


def end_processes(name: str) -> None:
    """Kill every process in a namespace; raises LabError when one does not end."""
    deadline = time.monotonic() + 10
    while pids := processes(name):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            raise LabError(f"Processes {pids} in {name} do not end: end them, then try again.")
        time.sleep(0.05)


def delete(name: str) -> None:
    """Remove a namespace with all its links, unless it is gone."""
    if (DIRECTORY / name).exists():
        run("ip", "netns", "delete", name)


def entering(name: str) -> tuple[str, ...]:
    """What to put before a command that is to run in a namespace.

    `ip netns exec` would give it a mount namespace as well: a copy of every mount of this moment,
    which keeps the disk of a machine that stops until whoever was started so ends, as a daemon does
    much later.
    """
    return ("nsenter", f"--net={DIRECTORY / name}", "--")


def load_rules(name: str, rules: str, image: Path | None = None) -> None:
    """Have nftables rules in a namespace; raises LabError.

    With the nft of an image: it reads what is there first, and an older one crashes on tables that
    a newer one of a machine made (observed: 1.0.6 on kube-proxy's by 1.1.3).
    """
    within = () if image is None else ("chroot", str(image))
    run(*entering(name), *within, "nft", "-f", "-", stdin=rules)


def inside(name: str, action: Callable[[], _T]) -> _T:
    """Do something in a namespace, in a thread of its own: a socket that is made there belongs
    to it for good, and whoever holds it serves the machines without a route between the two.

    Raises what the action raises.
    """
    result: list[_T] = []
    failure: list[BaseException] = []

    def enter() -> None:
        descriptor = os.open(DIRECTORY / name, os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET):
                raise OSError(ctypes.get_errno(), f"cannot enter the network namespace {name}")
            result.append(action())
        except BaseException as error:
            failure.append(error)
        finally:
            os.close(descriptor)

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    if failure:
        raise failure[0]
    return result[0]


def listener(name: str, address: str, port: int) -> socket.socket:
    """A socket that listens in a namespace."""
    return inside(name, lambda: socket.create_server((address, port), backlog=128))
