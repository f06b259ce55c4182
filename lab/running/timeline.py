"""Timeline of a machine's boot. Pure.

All machines and this computer share one kernel, so their monotonic clocks are the same clock.
"""

from collections.abc import Iterable, Mapping

from lab.running.node_names import tier
from lab.running.node_snapshot import NodeSnapshot

PHASES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "etcd": (
        ("network", "network-online.target"),
        ("cloud-init", "cloud-final.service"),
        ("agent", "node-agent.service"),
        ("prepared", "node-prepare.service"),
        ("ready", "etcd.service"),
    ),
    "api": (
        ("network", "network-online.target"),
        ("cloud-init", "cloud-final.service"),
        ("agent", "node-agent.service"),
        ("prepared", "node-prepare.service"),
        ("proxy", "etcd-proxy.service"),
        ("ready", "kube-apiserver.service"),
    ),
    "worker": (
        ("network", "network-online.target"),
        ("cloud-init", "cloud-final.service"),
        ("agent", "node-agent.service"),
        ("prepared", "node-prepare.service"),
        ("runtime", "containerd.service"),
        ("ready", "kubelet.service"),
    ),
}
"""By tier: what is reached, and the unit whose start says so. etcd and kube-apiserver tell systemd
when they serve (Type=notify); a kubelet that runs has yet to join."""


def phases(snapshot: NodeSnapshot) -> dict[str, float]:
    """Seconds from the start of a machine's systemd until it had reached each phase; what it has
    not reached is not there."""
    if snapshot.userspace is None:
        return {}
    reached = {
        phase: since - snapshot.userspace
        for phase, unit in PHASES[tier(snapshot.node.name)]
        if (since := snapshot.since(unit)) is not None and since >= snapshot.userspace
    }
    return {phase: round(seconds, 1) for phase, seconds in reached.items()}


def span(snapshots: Iterable[NodeSnapshot]) -> float | None:
    """Seconds from the first machine's start until the last one served; None before that."""
    seen = list(snapshots)
    began = [snapshot.userspace for snapshot in seen]
    ready = [snapshot.since(PHASES[tier(snapshot.node.name)][-1][1]) for snapshot in seen]
    if not seen or None in began or None in ready:
        return None
    return max(one for one in ready if one) - min(one for one in began if one)
