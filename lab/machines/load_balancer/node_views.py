"""Health of targets and addresses of a load balancer as a whole, from what its nodes say. Pure."""

from collections.abc import Collection, Iterable, Mapping
from ipaddress import IPv4Address

from lab.machines.load_balancer.nlb import LoadBalancer, TargetGroup

View = Mapping[str, Mapping[str, str]]
"""What one node says: the state of each target by name, by target group."""


def agreed(states: Collection[str]) -> str:
    """The state of a target of which each node says one.

    Healthy is what more than half of them say: a node that is cut off sees nobody but its own zone,
    and whoever relies on the answer must not be told too much. AWS does not say how it does this.
    """
    if 2 * sum(state == "healthy" for state in states) > len(states):
        return "healthy"
    unwell = [state for state in states if state.startswith("unhealthy")]
    if not unwell or 2 * len(unwell) < len(states):
        return "initial"
    return "unhealthy.draining" if "unhealthy.draining" in unwell else "unhealthy"


def target_states(group: TargetGroup, views: Iterable[View]) -> dict[str, str]:
    """The state of each registered target by name; one that no node sends to is not in use."""
    known = [view.get(group.name, {}) for view in views]
    found = {}
    for target in group.targets:
        said = [view[target.name] for view in known if target.name in view]
        found[target.name] = agreed(said) if said else "unused"
    return found


def addresses(
    load_balancer: LoadBalancer, views: Mapping[str, View], partitioned: Collection[str]
) -> tuple[IPv4Address, ...]:
    """The addresses that the load balancer's name has: those of nodes that have enough healthy
    targets and can be reached from outside their zone; all, where none is left.

    `views` are by node id, `partitioned` are zones.
    """
    good = [
        node
        for node in load_balancer.nodes
        if node.subnet.zone not in partitioned and _serves(load_balancer, views.get(node.id, {}))
    ]
    return tuple(sorted(node.address for node in good or load_balancer.nodes))


def _serves(load_balancer: LoadBalancer, view: View) -> bool:
    return all(
        sum(state == "healthy" for state in view.get(name, {}).values()) >= group.fewest_in_dns
        for name, group in load_balancer.targets.items()
    )
