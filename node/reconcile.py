"""`reconcile`: bring this node one step closer to what Parameter Store wants."""

from node.machine import Machine
from node.settings import Settings


def run(settings: Settings, machine: Machine) -> str:
    """Take one step; what was done, or what this node waits for."""
    if settings.etcd:
        from node.etcd import tier  # noqa: PLC0415  a node carries its own tier only

        return tier.run(settings, settings.etcd, machine)
    from node.api import proxy  # noqa: PLC0415  a node carries its own tier only

    return proxy.run(settings, machine)
