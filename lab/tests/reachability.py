"""Security groups of a recorded program, evaluated as AWS does: a connection needs a rule that lets
it out of the client's group and one that lets it into the server's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from tests.recording import Deployment


@dataclass(frozen=True)
class Host:
    """An address, and the name of its security group in the program; None lets everything pass."""

    address: str
    group: str | None = None


def reaches(cluster: Deployment, client: Host, server: Host, port: int) -> bool:
    """Whether a TCP connection is established."""
    return _passes(cluster, "Egress", client, server, port) and _passes(
        cluster, "Ingress", server, client, port
    )


def _passes(cluster: Deployment, way: str, owner: Host, peer: Host, port: int) -> bool:
    return owner.group is None or any(
        _covers(rule, port) for rule in _naming(cluster, way, owner.group, peer)
    )


@lru_cache(maxsize=1000)
def _naming(cluster: Deployment, way: str, group: str, peer: Host) -> Sequence[Mapping[str, Any]]:
    """The rules of a group that name a peer; every port is asked of the same ones."""
    return [
        rule
        for rule in cluster.of(f"SecurityGroup{way}Rule").values()
        if rule["securityGroupId"] == f"test-{group}-id" and _names(rule, peer)
    ]


def _names(rule: Mapping[str, Any], peer: Host) -> bool:
    if "cidrIpv4" in rule:
        return IPv4Address(peer.address) in IPv4Network(rule["cidrIpv4"])
    return peer.group is not None and rule["referencedSecurityGroupId"] == f"test-{peer.group}-id"


def _covers(rule: Mapping[str, Any], port: int) -> bool:
    if rule["ipProtocol"] == "-1":
        # AWS refuses ports alongside the protocol of everything.
        assert "fromPort" not in rule
        assert "toPort" not in rule
        return True
    return rule["ipProtocol"] == "tcp" and rule["fromPort"] <= port <= rule["toPort"]
