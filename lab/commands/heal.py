"""`heal`: the end of all harm."""

import argparse

from lab.running import fault_injection, find
from lab.workspace import Workspace

HELP = "end every cut, silence and power cut"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(_arguments: argparse.Namespace, workspace: Workspace) -> int:
    """A line for each harm that was ended."""
    ended = fault_injection.heal(find(workspace))
    print("\n".join(f"ended: {line}" for line in ended) or "nothing was harmed")
    return 0
