"""`defrag`: give back the disk space that etcd's database no longer uses, one member at a time."""

from node.errors import NodeError
from node.etcd import defrag_run
from node.machine import Machine
from node.settings import Settings


def run(settings: Settings, _machine: Machine) -> str:
    """Do it when it is worth it and this member's turn; what was done."""
    if not settings.etcd:
        raise NodeError("only an etcd member has a database to defragment: run this on one")
    return defrag_run.run(settings, settings.etcd)
