"""`power-restore`: a machine whose power was cut boots again."""

import argparse

from lab.commands import completion
from lab.running import fault_injection, find
from lab.workspace import Workspace

HELP = "give a machine its power back"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which machine."""
    parser.add_argument("name", metavar="NAME", help=completion.MACHINE)


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """It boots from the disks that it had."""
    lab = find(workspace)
    node = lab.node(arguments.name)
    fault_injection.power_restore(lab, node)
    print(f"{node.name} boots")
    return 0
