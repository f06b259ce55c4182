"""The dnsmasq process of the router: DHCP and DNS."""

import signal
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
from pathlib import Path

from lab.atomic_file import write_atomically
from lab.machines.account import Account, Instance
from lab.machines.firewall import RESOLVER
from lab.machines.host_programs import start_detached
from lab.machines.lab_names import Names, bridge
from lab.machines.network import namespaces
from lab.machines.network.router import AWS, DOWNLOADS, MTU
from lab.processes import ProcessIdentity


class Dnsmasq:
    """Runs dnsmasq in the router's namespace, with what was given last."""

    def __init__(self, directory: Path, names: Names, state: Path) -> None:
        self._directory, self._names, self._state = directory, names, state
        self._file = directory / "dnsmasq.json"
        self._identity = ProcessIdentity.load(self._file)
        self._files: dict[str, str] = {}

    def update(self, configuration: str, hosts: str, dhcp_hosts: str) -> None:
        """Have it answer according to these: restarted for a new configuration, else told to read
        its hosts again. Raises LabError when it does not run."""
        wanted = {"dnsmasq.conf": configuration, "hosts": hosts, "dhcp-hosts": dhcp_hosts}
        alive = self._identity is not None and self._identity.alive()
        if alive and wanted == self._files:
            return
        self._directory.mkdir(parents=True, exist_ok=True)
        for name, text in wanted.items():
            write_atomically(self._directory / name, text)
        leases = self._leases()
        kept = [lease for lease in leases if lease.split()[1] in dhcp_hosts]
        same = self._files.get("dnsmasq.conf") == configuration and kept == leases
        if alive and same and self._identity:
            self._identity.send(signal.SIGHUP)
        else:
            # It would keep an address for whoever had it last, and it knows no way to take a
            # lease back but to begin without it.
            self.stop()
            write_atomically(self._directory / "leases", "".join(f"{one}\n" for one in kept))
            self._start()
        self._files = wanted

    def leased(self) -> set[str]:
        """MAC addresses of machines that have their address."""
        return {lease.split()[1] for lease in self._leases()}

    def _leases(self) -> list[str]:
        try:
            lines = (self._directory / "leases").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        return [line for line in lines if len(line.split()) > 3]

    def stop(self) -> None:
        """End it."""
        if self._identity:
            self._identity.stop(patience=5)
            self._identity = None

    def _start(self) -> None:
        self._identity = start_detached(
            [
                *namespaces.entering(self._names.router),
                "dnsmasq",
                f"--conf-file={self._directory / 'dnsmasq.conf'}",
            ],
            state=self._state,
            log=self._directory / "dnsmasq.log",
        )
        self._identity.save(self._file)


LEASE = "1h"
TTL = 60
"""Seconds; what the names of a network load balancer have."""


def configuration(account: Account, region: str, downloads: Iterable[str], directory: str) -> str:
    """dnsmasq's configuration: changes with the subnets only, hosts are in files of their own.

    `downloads` are the hosts of upstream's downloads; what has no name here does not exist.
    """
    resolvers = sorted({cidr[2] for cidr in account.vpcs.values()} | {RESOLVER})
    lines = [
        "keep-in-foreground",
        "log-facility=-",
        "user=root",
        "no-resolv",
        "no-hosts",
        "no-ping",
        "bind-dynamic",
        "except-interface=lo",
        *(f"listen-address={address}" for address in resolvers),
        f"local-ttl={TTL}",
        "local=/#/",
        f"address=/amazonaws.com/{AWS}",
        f"local=/elb.{region}.amazonaws.com/",
        *(f"address=/{host}/{DOWNLOADS}" for host in sorted(downloads)),
        f"addn-hosts={directory}/hosts",
        f"dhcp-hostsfile={directory}/dhcp-hosts",
        f"dhcp-leasefile={directory}/leases",
        "dhcp-authoritative",
        f"dhcp-option=option:domain-name,{region}.compute.internal",
        f"dhcp-option=option:mtu,{MTU}",
    ]
    for subnet in sorted(account.subnets.values(), key=lambda subnet: subnet.id):
        link = bridge(subnet.id)
        resolver = account.vpcs[subnet.vpc][2]
        lines += [
            f"interface={link}",
            f"dhcp-range=set:{link},{subnet.cidr[0]},static,{subnet.cidr.netmask},{LEASE}",
            f"dhcp-option=tag:{link},option:router,{subnet.cidr[1]}",
            f"dhcp-option=tag:{link},option:dns-server,{resolver}",
        ]
    return "\n".join(lines) + "\n"


def dhcp_hosts(instances: Iterable[Instance]) -> str:
    """Which address belongs to which interface."""
    return "".join(
        f"{one.mac},{one.address},{host_name(one.address)},{LEASE}\n"
        for one in sorted(instances, key=lambda one: one.id)
    )


def hosts(
    instances: Iterable[Instance],
    region: str,
    load_balancers: Mapping[str, Iterable[IPv4Address]] | None = None,
) -> str:
    """Names of instances, and of load balancers with the addresses where they answer."""
    lines = [
        f"{one.address} {host_name(one.address)}.{region}.compute.internal"
        for one in sorted(instances, key=lambda one: one.id)
    ]
    for name, addresses in sorted((load_balancers or {}).items()):
        lines += [f"{address} {name}" for address in sorted(addresses)]
    return "".join(f"{line}\n" for line in lines)


def host_name(address: IPv4Address) -> str:
    """The host name that AWS gives an address."""
    return f"ip-{str(address).replace('.', '-')}"
