"""The commands: each says in one line what it did, or what is wrong and what to do."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module

from node import files
from node.errors import NodeError
from node.machine import Machine
from node.settings import RUNTIME, at, load

COMMANDS: Mapping[str, tuple[str, ...]] = {
    "prepare": (),
    "reconcile": (),
    "report": (),
    "release-lease": ("daemon",),
}
"""The arguments of each command."""

MODULES = {"release-lease": "node.api.release_lease"}
"""Where a command is, unless it is named as its module."""

UNLOCKED = frozenset({"release-lease"})
"""Commands of a daemon's user, who may not write where locks are. systemd runs them one by one."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    command, *given = arguments or [""]
    if command not in COMMANDS or len(given) != len(COMMANDS[command]):
        print(f"usage: node {'|'.join(map(_usage, COMMANDS))}", file=sys.stderr)
        return 2
    try:
        with _alone(command):
            module = import_module(MODULES.get(command, f"node.{command}"))
            print(f"{command}: {module.run(load(), Machine(), *given)}")
    except (NodeError, OSError, ImportError) as error:
        print(f"{command}: {error}".replace("\n", " "), file=sys.stderr)
        return 1
    return 0


def _usage(command: str) -> str:
    return " ".join((command, *(f"<{name}>" for name in COMMANDS[command])))


@contextmanager
def _alone(command: str) -> Iterator[None]:
    """A person may run what a timer is running: the second waits for the first."""
    if command in UNLOCKED:
        yield
        return
    with files.locked(at(f"{RUNTIME}/{command}.lock")):
        yield
