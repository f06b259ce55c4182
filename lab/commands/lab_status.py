"""`status`: what runs, and where; what the API says of each machine, and what it says of itself."""

import argparse
from datetime import UTC, datetime

from rich.console import Console

from lab.cloud import emulator_server, inventory
from lab.commands.command import Command
from lab.machines.layout import Layout
from lab.machines.network.faults import Faults
from lab.processes import ProcessIdentity
from lab.running import RunningLab, fault_injection, find
from lab.running.node_snapshot import inspect
from lab.running.view import Look, view
from lab.running.watch import watch
from lab.stack import cloud
from lab.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare whether to go on."""
    parser.add_argument(
        "--watch",
        action="store_true",
        help="show the machines until Ctrl-C, and what happens to them",
    )


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """One line per part, then the machines; or the machines until Ctrl-C."""
    console = Console(highlight=False)
    if arguments.watch:
        lab = find(workspace)
        try:
            watch(lambda: look(lab), console)
        except KeyboardInterrupt:
            return 0
    running = emulator_server.find(workspace.state)
    if running is None:
        print("AWS emulator: not running; `make up` starts it")
        return 0
    update = ProcessIdentity.load(workspace.update)
    print(f"AWS emulator: {running.endpoint}, process {running.identity.pid}, log {running.log}")
    print(f"update: {f'process {update.pid}' if update else 'none'}")
    print(f"account: {inventory.summary(inventory.remaining(cloud.clients(running)))}")
    if Layout(workspace.state).base.exists():
        console.print(view(look(find(workspace))))
    return 0


STATUS = Command(add_arguments, run)


def look(lab: RunningLab) -> Look:
    """The machines now. Raises LabError when the API does not answer."""
    snapshots = inspect(lab)
    faults = Faults.load(lab.layout.faults)
    nodes = [one.node for one in snapshots]
    return Look(datetime.now(UTC), snapshots, fault_injection.described(faults, nodes))
