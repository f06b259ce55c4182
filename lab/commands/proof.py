"""`proof`: one fault under load, on the lab that is up."""

import argparse
import sys

from lab.atomic_file import write_atomically
from lab.commands.command import Command
from lab.commands.prove import PROOFS, place, watched
from lab.machines import requirements
from lab.proofs.faults_under_load import FAULTS
from lab.proofs.load.fault_run import KEPT, read
from lab.proofs.report.page import page
from lab.running import find
from lab.running.node_names import choose_word
from lab.workspace import Workspace

NAMES = [case.fault.name for case in FAULTS]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which one."""
    parser.add_argument("name", help=f"a fault: {', '.join(NAMES)}")


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Inflict one fault under load on the lab that is up, and draw what came of it.

    The exit code is pytest's. Raises LabError when the lab is not up.
    """
    name = choose_word("fault", arguments.name, NAMES)
    requirements.require()
    find(workspace)
    only = [f"{PROOFS}/test_3_failures.py", "-k", f"[{name}]", "--failures"]
    code = watched([sys.executable, "-m", "pytest", *only, *place(workspace)])
    kept = workspace.project / KEPT
    if code == 0 and kept.exists():
        drawn = kept.with_suffix(".html")
        write_atomically(drawn, page(read(kept)), 0o644)
        print(f"what came of it: {drawn}")
    return code


PROOF = Command(add_arguments, run)
