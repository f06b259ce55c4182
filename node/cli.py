"""The commands: each says in one line what it did, or what is wrong and what to do."""

import sys
from collections.abc import Sequence
from importlib import import_module

from node import files
from node.errors import NodeError
from node.machine import Machine
from node.settings import RUNTIME, at, load

COMMANDS = ("prepare", "reconcile", "report", "snapshot", "defrag", "restore")
WITH_ARGUMENTS = ("restore",)
"""They say themselves what they take."""


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    command, *rest = arguments or ("",)
    if command not in COMMANDS or (rest and command not in WITH_ARGUMENTS):
        print(f"usage: node {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    try:
        # A person may run what a timer is running: the second waits for the first.
        with files.locked(at(f"{RUNTIME}/{command}.lock")):
            said = import_module(f"node.{command}").run(load(), Machine(), *rest)
            print(f"{command}: {said}")
    except (NodeError, OSError, ImportError) as error:
        print(f"{command}: {error}".replace("\n", " "), file=sys.stderr)
        return 1
    return 0
