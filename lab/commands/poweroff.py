"""`poweroff`: a machine loses its power."""

import argparse

from lab.commands import completion
from lab.running import find, harm
from lab.workspace import Workspace

HELP = "cut the power of a machine, without a shutdown; `poweron` or `heal` gives it back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which machine."""
    parser.add_argument("name", metavar="NAME", help=completion.MACHINE)


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """The API goes on saying that it runs, as for an instance whose host failed."""
    lab = find(workspace)
    node = lab.node(arguments.name)
    harm.power_off(lab, node)
    print(f"cut the power of {node.name}; `python -m lab poweron {node.name}` gives it back")
    return 0
