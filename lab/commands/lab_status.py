"""`status`: what runs, and where; what the API says of each machine, and what it says of itself."""

import argparse
from datetime import UTC, datetime

from rich.console import Console

from lab.cloud import emulator_server, inventory
from lab.commands.command import Command, no_arguments
from lab.machines.layout import Layout
from lab.machines.network.faults import Faults
from lab.processes import ProcessIdentity
from lab.running import RunningLab, fault_injection, find
from lab.running.node_snapshot import inspect
from lab.running.ready import missing
from lab.running.table import table
from lab.stack import cloud
from lab.workspace import Workspace


def run(_arguments: argparse.Namespace, workspace: Workspace) -> int:
    """One line per part, then the machines."""
    running = emulator_server.find(workspace.state)
    if running is None:
        print("AWS emulator: not running; `make up` starts it")
        return 0
    update = ProcessIdentity.load(workspace.update)
    print(f"AWS emulator: {running.endpoint}, process {running.identity.pid}, log {running.log}")
    print(f"update: {f'process {update.pid}' if update else 'none'}")
    print(f"account: {inventory.summary(inventory.remaining(cloud.clients(running)))}")
    if Layout(workspace.state).base.exists():
        _machines(find(workspace))
    return 0


STATUS = Command(no_arguments, run)


def _machines(lab: RunningLab) -> None:
    snapshots = inspect(lab)
    console = Console(highlight=False)
    console.print(table(snapshots, datetime.now(UTC)))
    for line in fault_injection.described(Faults.load(lab.layout.faults), lab.nodes().values()):
        console.print(f"fault: {line}", style="red", markup=False)
    lacks = missing(snapshots)
    console.print(f"cluster: {', '.join(lacks) or 'ready'}", markup=False, soft_wrap=True)
