"""The commands of `python -m lab`, one file each.

A command is a module with HELP (one line), `add_arguments(parser)` and `run(arguments, workspace)
-> int`; its name on the command line is its module's name. A new one is added to COMMANDS.
"""

import argparse
from typing import Protocol

from lab.commands import down, env, status, up
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


COMMANDS: dict[str, Command] = {"up": up, "down": down, "status": status, "env": env}
