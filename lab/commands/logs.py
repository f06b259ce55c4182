"""`logs`: what a machine wrote."""

import argparse
import subprocess

from lab.commands import completion
from lab.running import find, journal
from lab.workspace import Workspace

HELP = "show the journal of a machine, or of one of its units, also while it is off"
LINES = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which machine, which unit, how much."""
    parser.add_argument("name", metavar="NAME", help=completion.MACHINE)
    parser.add_argument("unit", nargs="?", metavar="UNIT", help=completion.UNIT)
    parser.add_argument("--lines", "-n", type=int, default=LINES, help=f"how many ({LINES})")
    parser.add_argument("--follow", "-f", action="store_true", help="go on with what is added")


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """The exit code is that of the program that shows it."""
    lab = find(workspace)
    machine = lab.machine(lab.node(arguments.name))
    shown = journal.command(machine, arguments.unit, arguments.lines, follow=arguments.follow)
    return subprocess.run(shown, check=False).returncode
