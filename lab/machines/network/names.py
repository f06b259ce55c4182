"""DHCP and DNS of the VPC, as dnsmasq's configuration. Pure."""

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address

from lab.machines.account import Account, Instance
from lab.machines.firewall import RESOLVER
from lab.machines.names import bridge
from lab.machines.network.router import AWS, DOWNLOADS, MTU

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
    balancers: Mapping[str, Iterable[IPv4Address]] | None = None,
) -> str:
    """Names of instances, and of load balancers with the addresses where they answer."""
    lines = [
        f"{one.address} {host_name(one.address)}.{region}.compute.internal"
        for one in sorted(instances, key=lambda one: one.id)
    ]
    for name, addresses in sorted((balancers or {}).items()):
        lines += [f"{address} {name}" for address in sorted(addresses)]
    return "".join(f"{line}\n" for line in lines)


def host_name(address: IPv4Address) -> str:
    """The host name that AWS gives an address."""
    return f"ip-{str(address).replace('.', '-')}"
