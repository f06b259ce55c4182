"""Faults of the network, injected where the machines cannot see it: in the router, and on its end
of their cables."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from lab.atomic_file import write_atomically
from lab.machines.account import Account, Subnet
from lab.machines.lab_names import Names, port
from lab.machines.network import namespaces
from lab.machines.network.router import AWS, DOWNLOADS
from node.contract import ETCD_PEER_PORT

SERVICES = {"aws": AWS, "downloads": DOWNLOADS}
"""What can be made unreachable for everyone, by name."""


@dataclass(frozen=True)
class Faults:
    """All faults of a lab at one time."""

    zones: tuple[str, ...] = ()
    """Zones that reach nothing outside themselves, and that nothing outside reaches. What the
    hypervisor does for a machine goes on: metadata, names, DHCP."""
    isolated: tuple[str, ...] = ()
    """Instances whose every packet is lost, both ways; their link stays up."""
    peerless: tuple[str, ...] = ()
    """Instances of etcd that lose every packet to and from their peers, and no other."""
    unreachable: tuple[str, ...] = ()
    """Names of SERVICES."""

    @classmethod
    def load(cls, path: Path) -> "Faults":
        """Those of a file; none where there is no file."""
        if not path.exists():
            return cls()
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{name: tuple(value) for name, value in values.items()})

    def save(self, path: Path) -> None:
        """Keep them in a file."""
        write_atomically(path, json.dumps(asdict(self)))


def partitionable(account: Account) -> list[str]:
    """What `partition` can cut off: zones that have machines, and services. Pure."""
    zones = {instance.subnet.zone for instance in account.instances.values()}
    return [*sorted(zones), *SERVICES]


def ruleset(faults: Faults, subnets: Iterable[Subnet], ports: Iterable[str]) -> str:
    """The router's tables; loading them replaces what was there at once. Pure.

    `ports` are the router's links that exist: a machine that is off has none.
    """
    known = list(subnets)
    zones = [[s.cidr for s in known if s.zone == zone] for zone in faults.zones]
    unreachable = [SERVICES[name] for name in sorted(faults.unreachable)]
    isolated = {port(instance) for instance in faults.isolated}
    peerless = {port(instance) for instance in faults.peerless} - isolated
    cables = sorted((isolated | peerless) & set(ports))
    lost = f"tcp dport {ETCD_PEER_PORT} drop; tcp sport {ETCD_PEER_PORT} drop"
    return "\n".join(
        [
            *_table("inet", _zones(zones, unreachable)),
            *_table(
                "netdev",
                [
                    line
                    for link in cables
                    for line in _on_cable(link, "drop" if link in isolated else lost)
                ],
            ),
            "",
        ]
    )


def apply_faults(
    names: Names, faults: Faults, subnets: Iterable[Subnet], ports: Iterable[str]
) -> None:
    """Have exactly these faults, and no other; raises LabError."""
    namespaces.load_rules(names.router, ruleset(faults, subnets, ports))


def _table(family: str, chains: list[str]) -> list[str]:
    begin = [f"table {family} faults", f"delete table {family} faults"]
    return [*begin, f"table {family} faults {{", *chains, "}"]


def _zones(zones: list[list[IPv4Network]], unreachable: list[IPv4Address]) -> list[str]:
    between, services = [], [f"    ip daddr {address} drop" for address in unreachable]
    for cidrs in zones:
        if cidrs:
            inside = f"{{ {', '.join(map(str, sorted(cidrs)))} }}"
            between.append(f"    ip saddr {inside} ip daddr != {inside} drop")
            between.append(f"    ip saddr != {inside} ip daddr {inside} drop")
            services.append(f"    ip saddr {inside} ip daddr {{ {AWS}, {DOWNLOADS} }} drop")
    return [
        "  chain forward {",
        "    type filter hook forward priority filter; policy accept;",
        *between,
        "  }",
        "  chain input {",
        "    type filter hook input priority filter; policy accept;",
        *services,
        "  }",
    ]


def _on_cable(link: str, rules: str) -> list[str]:
    lines = []
    for hook in ("ingress", "egress"):
        lines += [
            f"  chain {hook}-{link} {{",
            f'    type filter hook {hook} device "{link}" priority 0; policy accept;',
            f"    {rules}",
            "  }",
        ]
    return lines
