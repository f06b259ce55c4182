"""Rules of every security group: what it lets in and out. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal
from urllib.parse import urlsplit

from config import ClusterSettings
from node.contract import API_PORT, ETCD_CLIENT_PORT, ETCD_METRICS_PORT, ETCD_PEER_PORT

Group = Literal["etcd", "api", "balancer", "workers", "endpoints", "operator"]

EVERYWHERE = IPv4Network("0.0.0.0/0")

MACHINES: tuple[Group, ...] = ("etcd", "api", "workers")
"""Groups of EC2 instances. The others are of interfaces that AWS runs."""
NODES: tuple[Group, ...] = ("api", "workers")
"""Machines that are clients of the load balancer. API servers are where they join a pod network."""


@dataclass(frozen=True)
class Traffic:
    """Protocol and destination ports of a rule, as EC2 names them."""

    protocol: Literal["tcp", "-1"]
    """`-1` is every protocol, and then there are no ports."""
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        """Words for people and for resource names: `6443`, `tcp`, `all`."""
        if self.protocol == "-1":
            return "all"
        return str(self.first) if self.first == self.last else "tcp"

    def includes(self, port: int) -> bool:
        """Whether a TCP port is among them."""
        if self.first is None or self.last is None:
            return True
        return self.first <= port <= self.last


def tcp(port: int) -> Traffic:
    """Traffic to one TCP port."""
    return Traffic("tcp", port, port)


ALL_TCP = Traffic("tcp", 0, 65535)
ALL = Traffic("-1")


@dataclass(frozen=True)
class NatGateway:
    """Public address of the NAT gateway in a zone, which is known once AWS has allocated it."""

    zone: str


@dataclass(frozen=True)
class ExistingGroup:
    """Security group that somebody else owns."""

    id: str


Peer = Group | IPv4Network | NatGateway | ExistingGroup


@dataclass(frozen=True)
class Rule:
    """One direction of some traffic between a security group and a peer."""

    group: Group
    direction: Literal["ingress", "egress"]
    traffic: Traffic
    peer: Peer
    description: str

    @property
    def key(self) -> str:
        """Name of the rule among the others, which never changes."""
        if isinstance(self.peer, IPv4Network):
            peer = str(self.peer).replace("/", "-")
        elif isinstance(self.peer, NatGateway):
            peer = f"nat-{self.peer.zone}"
        elif isinstance(self.peer, ExistingGroup):
            peer = self.peer.id
        else:
            peer = self.peer
        return f"{self.group}-{self.direction}-{self.traffic}-{peer}"


def groups(settings: ClusterSettings) -> tuple[Group, ...]:
    """The security groups that a configuration needs."""
    optional: dict[Group, bool] = {
        "endpoints": _uses_private_endpoints(settings),
        "operator": settings.operator_access != "none" and _existing_operator(settings) is None,
    }
    return (
        "etcd",
        "api",
        "balancer",
        "workers",
        *(group for group, wanted in optional.items() if wanted),
    )


def rules(settings: ClusterSettings, nat_zones: Sequence[str] = ()) -> tuple[Rule, ...]:
    """Every rule of a configuration; what none of them names is closed.

    `nat_zones` are the zones in which the program makes a NAT gateway.
    """
    wanted = (
        *_between("api", "etcd", tcp(ETCD_CLIENT_PORT), "etcd clients"),
        *_between("etcd", "etcd", tcp(ETCD_PEER_PORT), "etcd peers"),
        *_between("api", "etcd", tcp(ETCD_METRICS_PORT), "etcd health and metrics"),
        *_between("balancer", "api", tcp(API_PORT), "Kubernetes API and its health check"),
        *_load_balancer_clients(settings, nat_zones),
        *_workers(settings),
        *_way_out(settings),
        *_operator(settings),
    )
    # One CIDR may be in two settings, and AWS refuses a rule that is there already.
    return tuple({rule.key: rule for rule in wanted}.values())


def _uses_private_endpoints(settings: ClusterSettings) -> bool:
    return settings.network.nat == "none" and settings.network.existing is None


def _existing_operator(settings: ClusterSettings) -> ExistingGroup | None:
    existing = settings.network.existing
    if existing is None or existing.instance_connect_group_id is None:
        return None
    return ExistingGroup(existing.instance_connect_group_id)


def _between(client: Group, server: Group, traffic: Traffic, what: str) -> tuple[Rule, Rule]:
    """Both ends of a connection: the server lets it in, the client lets it out."""
    return (
        Rule(server, "ingress", traffic, client, f"{what}, from {client}"),
        Rule(client, "egress", traffic, server, f"{what}, to {server}"),
    )


def _load_balancer_clients(settings: ClusterSettings, nat_zones: Sequence[str]) -> Iterator[Rule]:
    port, what = tcp(API_PORT), "Kubernetes API clients"
    cidrs = settings.api.allowed_cidrs
    allowed = [settings.network.cidr] if cidrs is None else cidrs
    for cidr in (*allowed, *settings.network.worker_cidrs):
        yield Rule("balancer", "ingress", port, cidr, what)
    # `api.allowedCidrs` is about people. Nodes are clients whatever it says.
    for node in NODES:
        yield from _between(node, "balancer", port, what)
    if not settings.api.internal:
        # The name of a public load balancer has public addresses only, so nodes leave the VPC on
        # their way to it and arrive from the address of a NAT gateway.
        for zone in nat_zones:
            yield Rule("balancer", "ingress", port, NatGateway(zone), f"{what} behind NAT")
        for node in NODES:
            yield Rule(node, "egress", port, EVERYWHERE, "Kubernetes API at its public name")


def _workers(settings: ClusterSettings) -> Iterator[Rule]:
    # The Service `kubernetes` has the API servers' own addresses as endpoints: kube-proxy sends
    # pods there from their own address or their worker's, past the load balancer.
    service = "Kubernetes API at the Service kubernetes"
    yield from _between("workers", "api", tcp(API_PORT), service)
    # Webhooks and aggregated APIs listen on whatever port their pods choose.
    serving = "kubelets, webhooks and aggregated APIs"
    yield from _between("api", "workers", ALL_TCP, serving)
    # The network model of Kubernetes: pods reach each other without a filter between nodes.
    yield from _between("workers", "workers", ALL, "workers and pods")
    for cidr in settings.network.worker_cidrs:
        yield Rule("api", "ingress", tcp(API_PORT), cidr, service)
        yield Rule("api", "egress", ALL_TCP, cidr, serving)
        yield Rule("workers", "ingress", ALL, cidr, "workers and pods")
        yield Rule("workers", "egress", ALL, cidr, "workers and pods")


def _way_out(settings: ClusterSettings) -> Iterator[Rule]:
    # The resolver, the metadata service and Amazon's time source are not filtered by security
    # groups, so DNS, IMDS and NTP need no rule (VPC user guide, "Security group rules").
    ports = {443: "AWS APIs and downloads"}
    mirror = settings.artifacts.mirror and urlsplit(settings.artifacts.mirror).port
    if mirror:
        ports.setdefault(mirror, "artifacts.mirror")
    if _uses_private_endpoints(settings):
        # Inside the VPC every client of these services is sent to the endpoints, because they
        # have the services' names there. Outwards the rule for 443 is needed anyway: a gateway
        # endpoint keeps S3's public addresses. Without another route it opens nothing else.
        source = settings.network.cidr
        yield Rule("endpoints", "ingress", tcp(443), source, "AWS APIs, from the VPC")
    else:
        ports[80] = "package mirror"
    for machine in MACHINES:
        for port, what in ports.items():
            yield Rule(machine, "egress", tcp(port), EVERYWHERE, what)


def _operator(settings: ClusterSettings) -> Iterator[Rule]:
    if settings.operator_access == "none":
        return
    existing = _existing_operator(settings)
    for machine in MACHINES:
        if existing is None:
            yield from _between("operator", machine, tcp(22), "SSH")
        else:
            yield Rule(machine, "ingress", tcp(22), existing, "SSH, from Instance Connect")
