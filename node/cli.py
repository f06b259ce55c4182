"""The commands: each says in one line what it did, or what is wrong and what to do."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module

from node import files
from node.contract import RUNTIME
from node.errors import NodeError
from node.machine import Machine
from node.settings import at, load

COMMANDS: Mapping[str, int | None] = {
    "prepare": 0,
    "reconcile": 0,
    "report": 0,
    "snapshot": None,
    "defrag": 0,
    "restore": None,
    "release-lease": 1,
    "liveness": 0,
}
"""How many arguments each command takes; None where it says itself which."""

MODULES = {"release-lease": "node.api.release_lease", "liveness": "node.api.liveness"}
"""Where a command is, unless it is named as its module."""

UNLOCKED = frozenset({"release-lease", "liveness"})
"""Commands that may not write where locks are. systemd runs them one by one."""

USAGE = (
    "prepare|reconcile|report|snapshot [--when-due]|defrag"
    "|restore [--discard-newer-writes] <snapshot>"
    "|release-lease <daemon>|liveness"
)


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    command, *given = arguments or [""]
    if command not in COMMANDS or COMMANDS[command] not in {None, len(given)}:
        print(f"usage: node {USAGE}", file=sys.stderr)
        return 2
    try:
        with _alone(command):
            module = import_module(MODULES.get(command, f"node.{command}"))
            print(f"{command}: {module.run(load(), Machine(), *given)}")
    except (NodeError, OSError, ImportError) as error:
        said = f"{command}: {error}".replace("\n", " ")
        print(f"{_priority()}{said}", file=sys.stderr)
        return 1
    return 0


def _priority() -> str:
    """What makes a line an error in the journal (sd-daemon(3)); empty on a terminal."""
    try:
        where = os.fstat(sys.stderr.fileno())
    except OSError:
        return ""
    journal = os.environ.get("JOURNAL_STREAM") == f"{where.st_dev}:{where.st_ino}"
    return "<3>" if journal else ""


@contextmanager
def _alone(command: str) -> Iterator[None]:
    """A person may run what a timer is running: the second waits for the first."""
    if command in UNLOCKED:
        yield
        return
    with files.locked(at(f"{RUNTIME}/{command}.lock")):
        yield
