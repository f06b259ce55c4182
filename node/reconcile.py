"""`reconcile`: bring this node one step closer to what Parameter Store wants."""

from node import operations, refresh
from node.api import proxy
from node.etcd import reconcile_member
from node.machine import Machine
from node.settings import Settings
from node.steps import taken


def run(settings: Settings, machine: Machine) -> str:
    """Take one step, refresh certificates, follow what operators set; what was done.

    Each is done whatever comes of the others: a daemon may be in trouble for want of a certificate.

    NodeError when one failed; it says what was done besides, too.
    """
    return "; ".join(
        taken(
            (
                lambda: [_tier(settings, machine)],
                lambda: refresh.run(settings, machine),
                lambda: operations.follow(settings),
            )
        )
    )


def _tier(settings: Settings, machine: Machine) -> str:
    if settings.etcd:
        return reconcile_member.run(settings, settings.etcd, machine)
    return proxy.run(settings, machine)
