"""`isolate`: a machine runs on, and no packet reaches it or leaves it."""

import argparse

from lab.commands import completion
from lab.running import fault_injection, find
from lab.workspace import Workspace

HELP = "drop every packet of a machine; `heal` ends it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which machine."""
    parser.add_argument("name", metavar="NAME", help=completion.MACHINE)


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Nobody is told: connections stay open, and nothing comes through them."""
    lab = find(workspace)
    node = lab.node(arguments.name)
    fault_injection.isolate(lab, node)
    print(f"{node.name} is isolated; `python -m lab heal` ends it")
    return 0
