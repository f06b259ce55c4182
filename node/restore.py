"""`restore`: have the whole etcd tier start again from a snapshot; typed on any one member."""

from node.errors import NodeError
from node.etcd import restore_request
from node.machine import Machine
from node.settings import Settings


def run(settings: Settings, _machine: Machine, *arguments: str) -> str:
    """Give the order; what will happen."""
    if not settings.etcd:
        raise NodeError("only an etcd member can restore the tier: run this on one")
    return restore_request.order(settings, settings.etcd, *arguments)
