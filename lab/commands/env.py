"""`env`: what a shell needs to work in the lab."""

import argparse

from lab.errors import LabError
from lab.workspace import Workspace

HELP = "print the lines that bring a shell into the lab"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(_arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Print the file that `up` wrote."""
    if not workspace.env.exists():
        raise LabError("There is no lab: run `make up` first.")
    print(workspace.env.read_text(encoding="utf-8"), end="")
    return 0
