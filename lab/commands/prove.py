"""`prove`: the claims, on the lab that is up."""

import argparse
import os
import subprocess
import sys

from lab.commands import guide
from lab.running import find
from lab.workspace import ROOT, Workspace

HELP = "run the proofs on the machines of this lab"

PROOFS = "lab/proofs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether the lab may go, and what pytest is to be told."""
    parser.add_argument(
        "--destroy", action="store_true", help="prove `pulumi destroy` and `down` too, at the end"
    )
    parser.add_argument("options", nargs="*", metavar="...", help="after `--`: options of pytest")


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """The exit code is pytest's. Raises LabError when the lab is not up."""
    find(workspace)
    place = [f"--lab-project={workspace.project}", f"--lab-state={workspace.state}"]
    destroy = ["--destroy"] if arguments.destroy else []
    command = [sys.executable, "-m", "pytest", PROOFS, *place, *destroy, *arguments.options]
    code = subprocess.run(command, cwd=ROOT, check=False).returncode
    if workspace.env.exists():
        print(guide.TRY.format(env=os.path.relpath(workspace.env, workspace.project)))
    return code
