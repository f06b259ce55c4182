"""Steps that bring a node's servers to what is wanted, and what the node makes of its targets.
Pure."""

from collections.abc import Iterable, Mapping

from lab.machines.load_balancer import haproxy_format
from lab.machines.load_balancer.haproxy_format import Server
from lab.machines.load_balancer.nlb import Node, TargetGroup


def commands(
    group: TargetGroup, node: Node, found: Iterable[Server], drained: Mapping[str, float]
) -> tuple[str, ...]:
    """The commands of the moment; none once nothing is left to do.

    `drained` says for how many seconds targets drain by now, by name; who drains and is not there
    has just begun.
    """
    checked, every = haproxy_format.of_group(group, found)
    registered, draining = group.seen_from(node)
    wanted = {target.name: target for target in registered}
    leaving = {target.name for target in draining}
    lines: list[str] = []
    for name, target in sorted(wanted.items()):
        server = checked.get(name)
        if server is None or name not in every:
            # Whichever half is there already refuses to be added, and stays.
            lines += haproxy_format.add(group, target)
        elif server.checked and not (server.used and every[name].used):
            lines += haproxy_format.use(group, name)
        elif not server.up and server.sessions and _expired(group, server):
            lines += haproxy_format.end_sessions(group, name)
    for name in sorted((set(checked) | set(every)) - set(wanted)):
        halves = [half[name] for half in (checked, every) if name in half]
        over = name not in leaving or drained.get(name, 0.0) >= group.delay
        if name in every and every[name].used:
            lines += haproxy_format.drain(group, name)
        elif over and not any(half.sessions for half in halves):
            lines += haproxy_format.remove(group, name)
        elif over and group.terminate_drained:
            lines += haproxy_format.end_sessions(group, name)
    return tuple(lines)


def _expired(group: TargetGroup, server: Server) -> bool:
    """Whether an unhealthy target has kept its connections for long enough."""
    interval = group.unhealthy_draining
    return not group.terminate_unhealthy and interval > 0 and server.since >= interval


def states(group: TargetGroup, node: Node, found: Iterable[Server]) -> dict[str, str]:
    """What a node says of each registered target, by name, in the words of DescribeTargetHealth."""
    checked, _ = haproxy_format.of_group(group, found)
    registered, _ = group.seen_from(node)
    return {target.name: _state(group, checked.get(target.name)) for target in registered}


def _state(group: TargetGroup, server: Server | None) -> str:
    if server is None or not server.checked:
        return "initial"
    if server.up:
        return "healthy" if server.used else "initial"
    if not group.terminate_unhealthy and server.since < group.unhealthy_draining:
        return "unhealthy.draining"
    return "unhealthy"
