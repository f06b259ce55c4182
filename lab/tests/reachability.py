"""Security groups of a recorded program, evaluated as AWS does: a connection needs a rule that lets
it out of the client's group and one that lets it into the server's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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
    egress = cluster.of("SecurityGroupEgressRule").values()
    ingress = cluster.of("SecurityGroupIngressRule").values()
    return _passes(egress, client, server, port) and _passes(ingress, server, client, port)


def _passes(rules: Any, owner: Host, peer: Host, port: int) -> bool:
    return owner.group is None or any(
        _names(rule, peer) and _covers(rule, port) for rule in _of(rules, owner.group)
    )


def _of(rules: Any, group: str) -> Iterator[Mapping[str, Any]]:
    return (rule for rule in rules if rule["securityGroupId"] == f"test-{group}-id")


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
