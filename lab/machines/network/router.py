"""The router: a namespace with a bridge per subnet, which routes between them, and on which the
services of the VPC answer. There is no way from it to the host. What runs a program of the host
raises LabError."""

import json
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Protocol

from lab.machines.account import Subnet
from lab.machines.firewall import METADATA, RESOLVER
from lab.machines.host_programs import run
from lab.machines.lab_names import Names, bridge, port
from lab.machines.network import namespaces

AWS = IPv4Address("198.18.0.10")
"""Where every AWS endpoint of the lab answers; 198.18.0.0/15 is for tests (RFC 2544)."""
DOWNLOADS = IPv4Address("198.18.0.20")
"""Where the download hosts answer."""

MTU = 9001
"""Of a VPC (EC2 user guide, "Jumbo frames")."""

_POD_SETTINGS = {
    "net.ipv4.conf.ens5.proxy_arp": "1",
    # Else it answers after up to 0.8 s.
    "net.ipv4.neigh.ens5.proxy_delay": "0",
}

_PROTOCOL = "80"
"""Marks the routes to prefixes among the router's: a number that nobody else uses."""

_SETTINGS = {
    "net.ipv4.ip_forward": "1",
    # Else what a bridge passes on would go through the router's rules as if it were routed.
    "net.bridge.bridge-nf-call-iptables": "0",
}


def create(names: Names) -> None:
    """Make the router's namespace with the services' addresses, unless it is there."""
    namespaces.create(names.router)
    inside = ("ip", "-n", names.router)
    run(*inside, "link", "set", "lo", "up")
    for address in (METADATA, RESOLVER, AWS, DOWNLOADS):
        run(*inside, "address", "replace", f"{address}/32", "dev", "lo")
    for key, value in _SETTINGS.items():
        run(*namespaces.entering(names.router), "sysctl", "-qw", f"{key}={value}")


def add_resolver(names: Names, address: IPv4Address) -> None:
    """Let the resolver of a VPC answer at its address in the VPC."""
    run("ip", "-n", names.router, "address", "replace", f"{address}/32", "dev", "lo")


def add_subnet(names: Names, subnet: Subnet) -> None:
    """Make the bridge of a subnet; the router is its first address, as in AWS."""
    link, inside = bridge(subnet.id), ("ip", "-n", names.router)
    if link in links(names):
        return
    # A bridge without a hardware address of its own takes the lowest of its cables': its machines
    # would lose the router for half a minute whenever the one with that cable goes.
    mac = "02:01:" + ":".join(f"{byte:02x}" for byte in subnet.cidr[1].packed)
    settings = ("address", mac, "mtu", str(MTU), "type", "bridge", "mcast_snooping", "0")
    run(*inside, "link", "add", link, *settings)
    address = f"{subnet.cidr[1]}/{subnet.cidr.prefixlen}"
    run(*inside, "address", "replace", address, "dev", link)
    run(*inside, "link", "set", link, "up")


def remove_subnet(names: Names, link: str) -> None:
    """Remove the bridge of a subnet that is gone."""
    run("ip", "-n", names.router, "link", "delete", link)


def links(names: Names) -> set[str]:
    """Names of the router's links."""
    lines = run("ip", "-n", names.router, "-o", "link", "show").splitlines()
    return {line.split(":")[1].strip().partition("@")[0] for line in lines}


class Plugged(Protocol):
    """What has a namespace of its own on a subnet: an instance, or a load balancer's node."""

    @property
    def id(self) -> str:
        """Names its namespace."""

    @property
    def mac(self) -> str:
        """Of its end of the cable."""

    @property
    def subnet(self) -> Subnet:
        """Where it is."""


def plug(names: Names, instance: Plugged) -> None:
    """Give a machine its namespace and its cable, unless it has them."""
    namespace = names.machine(instance.id)
    lay_cable(names, namespace, port(instance.id), instance.subnet, inside="ens5", mac=instance.mac)


def unplug(names: Names, instance: Plugged) -> None:
    """Take a machine's namespace and cable away, with all that the machine made in it."""
    remove_cable(names, port(instance.id))
    namespaces.delete(names.machine(instance.id))


def answer_for_pods(names: Names, instance: Plugged) -> None:
    """Have a machine's cable found under the addresses of its pods too: they lie in the subnet, so
    whoever is in it asks the link for them. In AWS the VPC answers."""
    for key, value in _POD_SETTINGS.items():
        inside = namespaces.entering(names.machine(instance.id))
        run(*inside, "sysctl", "-qw", f"{key}={value}")


def set_routes(names: Names, wanted: Mapping[IPv4Network, IPv4Address]) -> None:
    """Lead prefixes to the instances that they are assigned to, by their addresses."""
    inside = ("ip", "-n", names.router)
    shown = json.loads(run(*inside, "-json", "route", "show", "proto", _PROTOCOL) or "[]")
    there = {IPv4Network(one["dst"]): IPv4Address(one["gateway"]) for one in shown}
    for prefix in sorted(there.keys() - wanted.keys()):
        run(*inside, "route", "delete", str(prefix), "proto", _PROTOCOL)
    for prefix, address in sorted(wanted.items()):
        if there.get(prefix) != address:
            route = (str(prefix), "via", str(address), "proto", _PROTOCOL)
            run(*inside, "route", "replace", *route)


def lay_cable(
    names: Names, namespace: str, link: str, subnet: Subnet, *, inside: str, mac: str | None = None
) -> None:
    """Make a namespace and its cable to the bridge of a subnet, unless they are there; `link` is
    the router's end, `inside` the other one."""
    namespaces.create(namespace)
    router = ("ip", "-n", names.router)
    if link not in links(names):
        peer = ("peer", "name", inside, "mtu", str(MTU), *(("address", mac) if mac else ()))
        veth = ("mtu", str(MTU), "type", "veth", *peer, "netns", namespace)
        run(*router, "link", "add", link, *veth)
    run(*router, "link", "set", link, "master", bridge(subnet.id), "up")


def remove_cable(names: Names, link: str) -> None:
    """Remove both ends of a cable, unless they are gone. They go with the namespace as well, but
    some time after it, and until then a new cable of this name would be taken to be there."""
    run("ip", "-n", names.router, "link", "delete", link, ok=(0, 1))


def give_address(namespace: str, link: str, address: IPv4Address, subnet: Subnet) -> None:
    """Configure a namespace's end of its cable, where no DHCP client does."""
    inside = ("ip", "-n", namespace)
    run(*inside, "link", "set", "lo", "up")
    run(*inside, "address", "replace", f"{address}/{subnet.cidr.prefixlen}", "dev", link)
    run(*inside, "link", "set", link, "up")
    run(*inside, "route", "replace", "default", "via", str(subnet.cidr[1]))
