"""`snapshot`: store a snapshot of etcd, if this member leads."""

from node.errors import NodeError
from node.etcd import snapshots
from node.machine import Machine
from node.settings import Settings


def run(settings: Settings, _machine: Machine) -> str:
    """Take and store it; what was done, or who does."""
    if not settings.etcd:
        raise NodeError("only an etcd member takes snapshots: run this on one")
    return snapshots.take(settings, settings.etcd)
