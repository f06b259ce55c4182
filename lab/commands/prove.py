"""`prove`: the claims, on the lab that is up."""

import argparse
import os
import signal
import subprocess
import sys

from lab.commands import up
from lab.commands.command import Command
from lab.machines import requirements
from lab.running import find
from lab.workspace import ROOT, Workspace

PROOFS = "lab/proofs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether the lab is to be brought up, whether it may go, and what pytest is to be told."""
    parser.add_argument(
        "--up", action="store_true", help="bring the lab up first, where this computer can"
    )
    parser.add_argument(
        "--destroy", action="store_true", help="prove `pulumi destroy` and `down` too, at the end"
    )
    parser.add_argument("options", nargs="*", metavar="PYTEST-OPTION", help="after `--`")


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """The exit code is pytest's. Raises LabError when the lab is not up.

    Where machines cannot run, pytest skips every proof and shows why.
    """
    if requirements.problem() is None:
        if arguments.up:
            up.run(argparse.Namespace(machines=True), workspace)
        find(workspace)
    elif not arguments.up:
        requirements.require()
    destroy = ["--destroy"] if arguments.destroy else []
    command = [
        sys.executable,
        "-m",
        "pytest",
        PROOFS,
        *place(workspace),
        *destroy,
        *arguments.options,
    ]
    code = watched(command)
    if workspace.env.exists():
        print(up.TRY.format(env=os.path.relpath(workspace.env, workspace.project)))
    return code


PROVE = Command(add_arguments, run)


def place(workspace: Workspace) -> list[str]:
    """Options of the proofs that say which lab."""
    return [f"--lab-project={workspace.project}", f"--lab-state={workspace.state}"]


def watched(command: list[str]) -> int:
    """The exit code of pytest on the proofs. Raises KeyboardInterrupt once it has ended."""
    # Out of the terminal's reach: the proofs are interrupted once, and then put back what they
    # changed.
    with subprocess.Popen(command, cwd=ROOT, start_new_session=True) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            process.wait()
            raise
