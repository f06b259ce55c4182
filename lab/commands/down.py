"""`down`: nothing of the lab is left, whatever state it was in."""

import argparse
import shutil

from lab.cloud import emulator_server, inventory
from lab.cloud.emulator_server import Server
from lab.commands.command import Command, no_arguments
from lab.lab_errors import LabError
from lab.lock import exclusive
from lab.machines import daemon_process
from lab.stack import leftovers, stack_config
from lab.workspace import Workspace


def run(_arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Stop what runs, remove what is there, then say what that was. Raises LabError."""
    report = []
    if workspace.state.exists():
        with exclusive(workspace.lock):
            report += _stop(workspace)
            # The emulated account ends with its server, so there is nothing to destroy first.
            shutil.rmtree(workspace.state)
        report.append(f"removed {workspace.state}")
    stack_config.remove_checksums(workspace.stack_file)
    if stack_config.remove_encryption_salt(workspace.stack_file):
        report.append(f"took the lab's encryption salt out of {workspace.stack_file}")
    print("\n".join(report) or "nothing to remove")
    return 0


DOWN = Command(no_arguments, run)


def _stop(workspace: Workspace) -> list[str]:
    report = []
    if leftovers.stop_update(workspace):
        report.append("ended an update that an earlier run had left behind")
    report += daemon_process.remove(workspace.state)
    running = emulator_server.find(workspace.state)
    if running:
        held = _held(running)
        running.stop()
        report.append(f"stopped the AWS emulator, and with it {held}")
    return report


def _held(running: Server) -> str:
    try:
        return inventory.summary(running.inventory())
    except LabError:
        return "an account that no longer answered"
