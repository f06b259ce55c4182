"""`complete`: what the shell offers at the cursor. For the shell, not for people."""

import argparse

from lab import commands
from lab.commands import completion
from lab.errors import LabError
from lab.running import find
from lab.workspace import Workspace

HELP = ""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The words before the cursor."""
    parser.add_argument("words", nargs="*")


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """One candidate per line; none where there is no lab, and no complaint."""
    listed = [name for name, command in commands.COMMANDS.items() if command.HELP]
    try:
        found = completion.words(arguments.words, listed, lambda: find(workspace))
    except LabError:
        return 0
    print("\n".join(found))
    return 0
