"""`snapshot`: store a snapshot of etcd, if this member leads; --when-due: if it is time, too."""

from node import operations
from node.errors import NodeError
from node.etcd import snapshot_schedule, snapshots
from node.machine import Machine
from node.settings import Settings

WHEN_DUE = "--when-due"
"""For the timer: how often is for the stack to say, and may change while the machine runs."""


def run(settings: Settings, _machine: Machine, *given: str) -> str:
    """Take and store it; what was done, who does, or why not yet."""
    if not settings.etcd:
        raise NodeError("only an etcd member takes snapshots: run this on one")
    if given not in {(), (WHEN_DUE,)}:
        raise NodeError(f"usage: ha-node snapshot [{WHEN_DUE}]")
    if given and (reason := snapshot_schedule.not_yet(operations.recent(settings).every_minutes)):
        return reason
    snapshot_schedule.attempt()
    return snapshots.take(settings, settings.etcd)
