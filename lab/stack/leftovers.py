"""Leftovers of a killed `up`: an update that goes on without it, hosts, and the stack's lock."""

import signal
from collections.abc import Mapping
from pathlib import Path

from lab.engine.model import Engine
from lab.lab_errors import LabError
from lab.processes import ProcessIdentity, command, marked
from lab.stack.checkpoint import Checkpoint
from lab.stack.pulumi_environment import run_pulumi
from lab.workspace import STACK, Workspace

PATIENCE = 120.0
"""Seconds that an interrupted update gets to end its running operations; a load balancer's wait
takes 60."""

UPDATE_MARK = "HA_LAB_UPDATE"
"""In the environment of an update and so of every host that it starts, its value the state
directory.

Not in .lab/env: a person's shell must not be taken for an orphan.
"""


def stop_update(workspace: Workspace) -> bool:
    """End an update that outlived its `up`, and its hosts; whether there was any."""
    update = ProcessIdentity.load(workspace.update)
    if update:
        update.stop(PATIENCE, first=signal.SIGINT)
    hosts = stop_orphaned_processes(workspace.state)
    workspace.update.unlink(missing_ok=True)
    return bool(update) or hosts


def free_lock(
    workspace: Workspace, checkpoint: Checkpoint, engine: Engine, environment: Mapping[str, str]
) -> bool:
    """Take away the stack's lock if its holder is dead; whether there was one.

    Raises LabError when a `pulumi` that a person runs holds it.
    """
    holders = checkpoint.holders()
    for pid in holders:
        if command(pid) == "pulumi":
            raise LabError(
                f"`pulumi` (process {pid}) is at work on the stack: wait for it or interrupt it."
            )
    if holders:
        run_pulumi(workspace, engine, environment, "cancel", "--yes", "--stack", STACK)
    return bool(holders)


def stop_orphaned_processes(state: Path) -> bool:
    """End the processes of an update that outlived it; whether there was one."""
    orphans = marked(UPDATE_MARK, str(state))
    for orphan in orphans:
        orphan.stop(patience=5)
    return bool(orphans)
