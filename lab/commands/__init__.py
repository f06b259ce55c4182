"""The commands of `python -m lab`, one file each.

A command is a module with HELP (one line; without it the command is not listed),
`add_arguments(parser)` and `run(arguments, workspace) -> int`; its name on the command line is its
module's name, with hyphens. PARSER, where there is one, are arguments of its
ArgumentParser. A new one is added to COMMANDS.
"""

import argparse
from typing import Protocol

from lab.commands import (
    build,
    complete,
    down,
    env,
    heal,
    isolate,
    kill,
    kubectl,
    logs,
    partition,
    power_cut,
    power_restore,
    prove,
    shell,
    status,
    up,
)
from lab.workspace import Workspace


class Command(Protocol):
    """What a command's module provides."""

    HELP: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the command's own arguments."""
        ...

    def run(self, arguments: argparse.Namespace, workspace: Workspace) -> int:
        """Do it; the exit code."""
        ...


COMMANDS: dict[str, Command] = {
    "up": up,
    "status": status,
    "kubectl": kubectl,
    "shell": shell,
    "logs": logs,
    "kill": kill,
    "power-cut": power_cut,
    "power-restore": power_restore,
    "isolate": isolate,
    "partition": partition,
    "heal": heal,
    "prove": prove,
    "build": build,
    "down": down,
    "env": env,
    "complete": complete,
}
