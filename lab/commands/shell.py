"""`shell`: a shell in a machine, as somebody who logged in there has it."""

import argparse
import os
import subprocess

from lab.commands import completion
from lab.running import find, inside
from lab.workspace import Workspace

HELP = "open a shell in a machine, or run a command there"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which machine, and what to run there."""
    parser.add_argument("name", metavar="NAME", help=completion.MACHINE)
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="...", help="a command instead of a shell"
    )


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """The exit code is the shell's own."""
    lab = find(workspace)
    init = lab.init(lab.node(arguments.name))
    words = arguments.words or ["/bin/bash", "--login"]
    terminal = os.environ.get("TERM", "dumb")
    return subprocess.run(inside.command(init, words, terminal), check=False).returncode
