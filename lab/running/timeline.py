"""What a machine's boot consisted of. Pure.

All machines and this computer share one kernel, so their monotonic clocks are the same clock.
"""

from collections.abc import Iterable, Mapping

from lab.running.node_names import tier
from lab.running.node_snapshot import Look

PHASES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "etcd": (
        ("network", "network-online.target"),
        ("cloud-init", "cloud-final.service"),
        ("program", "node-program.service"),
        ("prepared", "node-prepare.service"),
        ("ready", "etcd.service"),
    ),
    "api": (
        ("network", "network-online.target"),
        ("cloud-init", "cloud-final.service"),
        ("program", "node-program.service"),
        ("prepared", "node-prepare.service"),
        ("proxy", "etcd-proxy.service"),
        ("ready", "kube-apiserver.service"),
    ),
}
"""By tier: what is reached, and the unit whose start says so. etcd and kube-apiserver tell systemd
when they serve (Type=notify)."""


def phases(look: Look) -> dict[str, float]:
    """Seconds from the start of a machine's systemd until it had reached each phase; what it has
    not reached is not there."""
    if look.userspace is None:
        return {}
    reached = {
        phase: since - look.userspace
        for phase, unit in PHASES[tier(look.node.name)]
        if (since := look.since(unit)) is not None and since >= look.userspace
    }
    return {phase: round(seconds, 1) for phase, seconds in reached.items()}


def span(looks: Iterable[Look]) -> float | None:
    """Seconds from the first machine's start until the last one served; None before that."""
    seen = list(looks)
    began = [look.userspace for look in seen]
    ready = [look.since(PHASES[tier(look.node.name)][-1][1]) for look in seen]
    if not seen or None in began or None in ready:
        return None
    return max(one for one in ready if one) - min(one for one in began if one)
