"""How many replicas of CoreDNS a cluster gets, such that all of them can be scheduled. Pure.

They spread over zones and over workers, and the scheduler leaves a replica pending rather than put
two on one worker while another has none. A worker that is alone in its zone takes one, so its zone
takes one, and then the others may not take more than two.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from node.cluster.ready_condition import ready

ZONE = "topology.kubernetes.io/zone"

REPELLING = frozenset({"NoSchedule", "NoExecute"})
"""Effects of taints that keep a pod away which does not tolerate them."""

FEWEST = 2
MOST_ZONES = 3
"""A replica in each of so many zones: each more would survive only what others survive too."""
WORKERS_PER_REPLICA = 16
"""As cluster-proportional-autoscaler's defaults for DNS have it (Kubernetes, "Autoscale the DNS
Service in a Cluster"): larger clusters ask more."""


def workers_by_zone(nodes: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The Nodes of each zone on which pods may be scheduled, without those of no zone."""
    found: Counter[str] = Counter()
    for node in nodes:
        zone = node["metadata"].get("labels", {}).get(ZONE)
        if zone and ready(node) and not _repels(node):
            found[zone] += 1
    return dict(found)


def _repels(node: Mapping[str, Any]) -> bool:
    # Cordoned ones have a taint, too.
    return any(taint["effect"] in REPELLING for taint in node["spec"].get("taints", ()))


def replicas(workers: Mapping[str, int]) -> int:
    """How many replicas, given the number of workers in each zone that has any."""
    wanted = max(
        FEWEST, min(len(workers), MOST_ZONES), -(-sum(workers.values()) // WORKERS_PER_REPLICA)
    )
    fewest = min(workers.values(), default=0)
    possible = sum(min(number, fewest + 1) for number in workers.values())
    return max(FEWEST, min(wanted, possible))
