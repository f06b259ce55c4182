"""`poweron`: a machine whose power was cut boots again."""

import argparse

from lab.commands import completion
from lab.running import find, harm
from lab.workspace import Workspace

HELP = "give a machine its power back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which machine."""
    parser.add_argument("name", metavar="NAME", help=completion.MACHINE)


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """It boots from the disks that it had."""
    lab = find(workspace)
    node = lab.node(arguments.name)
    harm.power_on(lab, node)
    print(f"{node.name} boots")
    return 0
