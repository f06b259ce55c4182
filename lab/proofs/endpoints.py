"""Endpoints that the firewall's table opens. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from components.network.security_group_rules import Rule


@dataclass(frozen=True)
class Peer:
    """Somebody on the network: a machine, the load balancer, a stranger, or somebody outside."""

    name: str
    address: IPv4Address
    group: str | None
    """Security group by its name in the table; None where everything is let in and out."""


def open_to(rules: Iterable[Rule], source: Peer, target: Peer, port: int) -> bool:
    """Whether the table lets a connection out of the one and into the other."""
    table = [rule for rule in rules if rule.traffic.includes(port)]
    return _passes(table, "egress", source, target) and _passes(table, "ingress", target, source)


def _passes(table: list[Rule], direction: str, owner: Peer, peer: Peer) -> bool:
    if owner.group is None:
        return True
    return any(
        rule.group == owner.group and rule.direction == direction and _names(rule, peer)
        for rule in table
    )


def _names(rule: Rule, peer: Peer) -> bool:
    if isinstance(rule.peer, IPv4Network):
        return peer.address in rule.peer
    return rule.peer == peer.group
