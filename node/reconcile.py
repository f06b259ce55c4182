"""`reconcile`: bring this node one step closer to what Parameter Store wants."""

from node import refresh
from node.api import proxy
from node.errors import NodeError
from node.etcd import tier
from node.machine import Machine
from node.settings import Settings


def run(settings: Settings, machine: Machine) -> str:
    """Take one step, and refresh certificates; what was done, or what this node waits for.

    Each is done whatever comes of the other: a daemon may be in trouble for want of a certificate.
    """
    try:
        step = _tier(settings, machine)
    except (NodeError, OSError) as error:
        raise NodeError("; ".join((str(error), *refresh.run(settings, machine)))) from error
    return "; ".join((step, *refresh.run(settings, machine)))


def _tier(settings: Settings, machine: Machine) -> str:
    if settings.etcd:
        return tier.run(settings, settings.etcd, machine)
    return proxy.run(settings, machine)
