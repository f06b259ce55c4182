"""Commands that look into a machine: `shell`, `logs`."""

import argparse
import os
import subprocess

from lab.commands.command import Command, name_argument, unit_argument
from lab.running import find, inside, journal
from lab.workspace import Workspace

LINES = 200


def _shell_arguments(parser: argparse.ArgumentParser) -> None:
    name_argument(parser)
    parser.add_argument(
        "words", nargs=argparse.REMAINDER, metavar="...", help="a command instead of a shell"
    )


def _shell(arguments: argparse.Namespace, workspace: Workspace) -> int:
    lab = find(workspace)
    init = lab.init(lab.node(arguments.name))
    words = arguments.words or ["/bin/bash", "--login"]
    terminal = os.environ.get("TERM", "dumb")
    return subprocess.run(inside.command(init, words, terminal), check=False).returncode


SHELL = Command(_shell_arguments, _shell)


def _logs_arguments(parser: argparse.ArgumentParser) -> None:
    name_argument(parser)
    unit_argument(parser, nargs="?")
    parser.add_argument("--lines", "-n", type=int, default=LINES, help=f"how many ({LINES})")
    parser.add_argument("--follow", "-f", action="store_true", help="go on with what is added")


def _logs(arguments: argparse.Namespace, workspace: Workspace) -> int:
    lab = find(workspace)
    machine = lab.machine(lab.node(arguments.name))
    shown = journal.command(machine, arguments.unit, arguments.lines, follow=arguments.follow)
    return subprocess.run(shown, check=False).returncode


LOGS = Command(
    _logs_arguments,
    _logs,
)
