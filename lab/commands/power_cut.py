"""`power-cut`: a machine loses its power."""

import argparse

from lab.commands import completion
from lab.running import fault_injection, find
from lab.workspace import Workspace

HELP = "cut the power of a machine, without a shutdown; `power-restore` or `heal` gives it back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which machine."""
    parser.add_argument("name", metavar="NAME", help=completion.MACHINE)


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """The API goes on saying that it runs, as for an instance whose host failed."""
    lab = find(workspace)
    node = lab.node(arguments.name)
    fault_injection.power_cut(lab, node)
    print(f"cut the power of {node.name}; `python -m lab power-restore {node.name}` gives it back")
    return 0
