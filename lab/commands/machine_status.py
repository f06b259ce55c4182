"""`status` of machines that run: one look, or many."""

import contextlib
from datetime import UTC, datetime

from rich.console import Console

from lab.machines.network.faults import Faults
from lab.running import RunningLab, fault_injection, find
from lab.running.node_snapshot import inspect
from lab.running.view import Look, view
from lab.running.watch import watch
from lab.workspace import Workspace


def show(workspace: Workspace, *, until_interrupt: bool) -> None:
    """Print the machines, once or until Ctrl-C. Raises LabError when they are out of reach."""
    lab, console = find(workspace), Console(highlight=False)
    if not until_interrupt:
        console.print(view(look(lab)))
        return
    with contextlib.suppress(KeyboardInterrupt):
        watch(lambda: look(lab), console)


def look(lab: RunningLab) -> Look:
    """The machines now. Raises LabError when the API does not answer."""
    snapshots = inspect(lab)
    faults = Faults.load(lab.layout.faults)
    nodes = [one.node for one in snapshots]
    return Look(datetime.now(UTC), snapshots, fault_injection.described(faults, nodes))
