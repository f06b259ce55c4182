"""The firewall as a table: who may open which port to whom. Pure; firewall.py makes it real."""

from dataclasses import dataclass
from typing import Literal

from components.naming import (
    API_PORT,
    ETCD_CLIENT_PORT,
    ETCD_METRICS_PORT,
    ETCD_PEER_PORT,
    KUBELET_PORT,
)
from config import ClusterSettings

Group = Literal["etcd", "api", "balancer", "endpoints", "operator"]

EVERYWHERE = "0.0.0.0/0"


@dataclass(frozen=True)
class Rule:
    """One direction of one TCP port between a security group and a peer: a group or a CIDR."""

    group: Group
    direction: Literal["ingress", "egress"]
    port: int
    peer: Group | None
    cidr: str | None
    description: str

    @property
    def key(self) -> str:
        """What names the rule among the others, for life."""
        peer = self.peer or (self.cidr or "").replace("/", "-")
        return f"{self.group}-{self.direction}-{self.port}-{peer}"


def groups(settings: ClusterSettings) -> tuple[Group, ...]:
    """The security groups that a configuration needs."""
    optional: dict[Group, bool] = {
        "endpoints": _uses_private_endpoints(settings),
        "operator": settings.operator_access == "instance-connect",
    }
    return ("etcd", "api", "balancer", *(group for group, wanted in optional.items() if wanted))


def rules(settings: ClusterSettings) -> tuple[Rule, ...]:
    """Every rule of a configuration. What stands nowhere is closed."""
    return (
        *_between("api", "etcd", ETCD_CLIENT_PORT, "etcd clients"),
        *_between("etcd", "etcd", ETCD_PEER_PORT, "etcd peers"),
        *_between("api", "etcd", ETCD_METRICS_PORT, "etcd health and metrics"),
        *_between("balancer", "api", API_PORT, "Kubernetes API and its health check"),
        *_balancer_clients(settings),
        _outgoing("api", KUBELET_PORT, str(settings.network.cidr), "kubelets: logs and exec"),
        *_way_out(settings),
        *_operator(settings),
    )


def _uses_private_endpoints(settings: ClusterSettings) -> bool:
    return settings.network.nat == "none" and settings.network.existing is None


def _between(client: Group, server: Group, port: int, what: str) -> tuple[Rule, Rule]:
    """Both ends of a connection: the server lets it in, the client lets it out."""
    return (
        Rule(server, "ingress", port, client, None, f"{what}, from {client}"),
        Rule(client, "egress", port, server, None, f"{what}, to {server}"),
    )


def _outgoing(group: Group, port: int, cidr: str, what: str) -> Rule:
    return Rule(group, "egress", port, None, cidr, what)


def _balancer_clients(settings: ClusterSettings) -> tuple[Rule, ...]:
    cidrs = settings.api.allowed_cidrs
    allowed = [settings.network.cidr] if cidrs is None else cidrs
    return tuple(
        Rule("balancer", "ingress", API_PORT, None, str(cidr), "Kubernetes API clients")
        for cidr in allowed
    )


def _way_out(settings: ClusterSettings) -> tuple[Rule, ...]:
    # The resolver, the metadata service and Amazon's time source are not filtered by security
    # groups, so DNS, IMDS and NTP need no rule (VPC user guide, "Security group rules").
    if not _uses_private_endpoints(settings):
        return tuple(
            _outgoing(group, port, EVERYWHERE, what)
            for group in ("etcd", "api")
            for port, what in ((443, "AWS APIs and downloads"), (80, "package mirror"))
        )
    # A gateway endpoint keeps S3's public addresses, which only a CIDR or a prefix list can name;
    # without a route to anywhere else the rule opens S3 alone.
    return (
        *_between("etcd", "endpoints", 443, "AWS APIs"),
        *_between("api", "endpoints", 443, "AWS APIs"),
        _outgoing("etcd", 443, EVERYWHERE, "S3 and the mirror"),
        _outgoing("api", 443, EVERYWHERE, "S3 and the mirror"),
    )


def _operator(settings: ClusterSettings) -> tuple[Rule, ...]:
    if settings.operator_access == "none":
        return ()
    return (
        *_between("operator", "etcd", 22, "SSH"),
        *_between("operator", "api", 22, "SSH"),
    )
