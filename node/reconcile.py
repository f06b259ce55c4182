"""`reconcile`: bring this node one step closer to what Parameter Store wants."""

from node import operations, refresh
from node.api import proxy
from node.errors import NodeError
from node.etcd import reconcile_member
from node.machine import Machine
from node.settings import Settings


def run(settings: Settings, machine: Machine) -> str:
    """Take one step, refresh certificates, follow what operators set; what was done.

    Each is done whatever comes of the other: a daemon may be in trouble for want of a certificate.

    NodeError when the step failed; it says what was done after it, too.
    """
    try:
        step = _tier(settings, machine)
    except (NodeError, OSError) as error:
        raise NodeError("; ".join((str(error), *_every_run(settings, machine)))) from error
    return "; ".join((step, *_every_run(settings, machine)))


def _every_run(settings: Settings, machine: Machine) -> list[str]:
    return [*refresh.run(settings, machine), *operations.follow(settings)]


def _tier(settings: Settings, machine: Machine) -> str:
    if settings.etcd:
        return reconcile_member.run(settings, settings.etcd, machine)
    return proxy.run(settings, machine)
