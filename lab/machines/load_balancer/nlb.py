"""Network load balancer, as far as its traffic can tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

from lab.machines.account import Subnet


@dataclass(frozen=True)
class Node:
    """What answers for a load balancer in one subnet: a network interface of AWS's own."""

    id: str
    mac: str
    address: IPv4Address
    subnet: Subnet


@dataclass(frozen=True)
class HealthCheck:
    """How targets are asked whether they are well; times in seconds."""

    protocol: str
    """`HTTP`, `HTTPS` or `TCP`."""
    port: int | None
    """None is the port of the target."""
    path: str
    matcher: str
    """Codes that count as well: `200`, `200,202` or `200-299`."""
    interval: int
    timeout: int
    healthy: int
    unhealthy: int
    """How many checks in a row turn a target."""


@dataclass(frozen=True)
class Target:
    """Who may get connections."""

    id: str
    """As it was registered: an address, or an instance."""
    address: IPv4Address
    port: int
    zone: str | None
    """Where it is; None when no subnet has its address."""

    @property
    def name(self) -> str:
        """What HAProxy calls it."""
        return f"{self.address}:{self.port}"


@dataclass(frozen=True)
class TargetGroup:
    """Targets, and what becomes of their connections; times in seconds."""

    name: str
    check: HealthCheck
    targets: tuple[Target, ...]
    """Those that are registered."""
    draining: tuple[Target, ...]
    """Those that were deregistered, while the API still lists them."""
    delay: int
    """How long a target drains once it is deregistered."""
    terminate_drained: bool
    """Whether that ends the connections that are left."""
    terminate_unhealthy: bool
    """Whether a target that turns unhealthy loses its connections at once."""
    unhealthy_draining: int
    """Else how long it keeps them; 0 is until they end by themselves."""
    cross_zone: bool
    """Whether every node sends to targets in every zone."""
    fewest: int
    """With fewer healthy targets a node sends to all of them."""
    fewest_in_dns: int
    """With fewer healthy targets a node's address leaves the name."""

    def seen_from(self, node: Node) -> "tuple[tuple[Target, ...], tuple[Target, ...]]":
        """The registered and the draining targets that a node sends to."""
        if self.cross_zone:
            return self.targets, self.draining
        zone = node.subnet.zone
        return (
            tuple(target for target in self.targets if target.zone == zone),
            tuple(target for target in self.draining if target.zone == zone),
        )


@dataclass(frozen=True)
class Listener:
    """A port, and who gets its connections."""

    port: int
    group: str
    """Name of the target group."""
    idle: int
    """Seconds after which a connection without traffic is forgotten."""


@dataclass(frozen=True)
class LoadBalancer:
    """A network load balancer."""

    arn: str
    name: str
    dns_name: str
    vpc: str
    groups: tuple[str, ...]
    """Its security groups; without any it lets everything through."""
    nodes: tuple[Node, ...]
    listeners: tuple[Listener, ...]
    targets: Mapping[str, TargetGroup]
    """Target groups that its listeners name, by name."""
    differences: tuple[str, ...] = ()
    """What was declared and is not done here, for people."""
