"""Prefixes of interfaces (prefix delegation).

Stock moto drops `Ipv4PrefixCount`. AWS gives the interface that many /28 blocks of its subnet: out
of a reservation of the type `prefix` where the subnet has one, else any block that is free. Where
the reservations are used up AWS does not say whether other blocks are taken; here they are not.
"""

import ipaddress
from collections.abc import Iterator, Mapping
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance
from moto.ec2.models.subnets import Subnet

from lab.cloud.corrections.patching import LAUNCH_LOCK, Method, extends

LENGTH = 28
"""Of every IPv4 prefix (EC2 guide, "Prefix delegation for Amazon EC2 network interfaces")."""


def check(backend: EC2Backend, kind: str, spec: Mapping[str, Any]) -> None:
    """Whether an instance of a type can have the prefixes that an interface asks for.

    A prefix takes the place of one private address. Raises PrivateIpAddressLimitExceeded, and
    InvalidParameterValue where the type is not built on Nitro.
    """
    count = _count(spec)
    if not count:
        return
    (about,) = backend.describe_instance_types(instance_types=[kind])
    if about.get("Hypervisor", "nitro") != "nitro":
        raise EC2ClientError(
            "InvalidParameterValue", f"Prefixes are not supported for the instance type {kind}."
        )
    most = int(about["NetworkInfo"]["Ipv4AddressesPerInterface"])
    others = max(1, len(spec.get("PrivateIpAddresses", [])))
    if count + others > most:
        raise EC2ClientError(
            "PrivateIpAddressLimitExceeded",
            f"Number of private addresses will exceed limit: {kind} has {most} for each interface.",
        )


@extends(Instance, "prep_nics")
def prep_nics(
    original: Method,
    instance: Instance,
    nic_spec: list[dict[str, Any]],
    *args: object,
    **kwargs: object,
) -> None:
    """Give interfaces that are made at launch their prefixes. Raises
    PrivateIpAddressLimitExceeded, InsufficientCidrBlocks."""
    asked = {int(spec.get("DeviceIndex", 0)): spec for spec in nic_spec if _count(spec)}
    for spec in asked.values():
        check(instance.ec2_backend, instance.instance_type, spec)
    original(instance, nic_spec, *args, **kwargs)
    for index, spec in asked.items():
        try:
            assign(instance.nics[index], spec)
        except EC2ClientError:
            for interface in instance.nics.values():
                instance.ec2_backend.enis.pop(interface.id, None)
            raise


def assign(interface: NetworkInterface, spec: Mapping[str, Any]) -> None:
    """Give an interface the prefixes that it asks for. Raises InsufficientCidrBlocks."""
    with LAUNCH_LOCK:
        chosen = [one["Ipv4Prefix"] for one in spec.get("Ipv4Prefixes", [])]
        free = _free(interface.subnet)
        for _ in range(int(spec.get("Ipv4PrefixCount") or 0)):
            block = next(free, None)
            if block is None:
                raise EC2ClientError(
                    "InsufficientCidrBlocks",
                    "The specified subnet does not have enough free cidr blocks to satisfy the "
                    "request.",
                )
            chosen.append(str(block))
        interface.__dict__["ipv4_prefixes"] = [{"Ipv4Prefix": one} for one in chosen]


def _count(spec: Mapping[str, Any]) -> int:
    return int(spec.get("Ipv4PrefixCount") or 0) + len(spec.get("Ipv4Prefixes", []))


def _free(subnet: Subnet) -> Iterator[ipaddress.IPv4Network]:
    reservations = list(subnet._cidr_reservations)  # noqa: SLF001 - moto has no public name for it
    own = [one.cidr for one in reservations if one.reservation_type == "prefix"]
    explicit = [one.cidr for one in reservations if one.reservation_type == "explicit"]
    edges = [subnet.cidr[position] for position in (0, 1, 2, 3, -1)]
    interfaces = [
        one for one in list(subnet.ec2_backend.enis.values()) if one.subnet.id == subnet.id
    ]
    taken = [
        ipaddress.ip_address(address["PrivateIpAddress"])
        for interface in interfaces
        for address in interface.private_ip_addresses
    ]
    given = [
        ipaddress.ip_network(prefix["Ipv4Prefix"])
        for interface in interfaces
        for prefix in interface.__dict__.get("ipv4_prefixes", ())
    ]
    for space in own or [subnet.cidr]:
        if space.prefixlen > LENGTH:
            continue
        for block in ipaddress.IPv4Network(str(space)).subnets(new_prefix=LENGTH):
            used = any(address in block for address in (*taken, *edges))
            if not used and not any(block.overlaps(other) for other in (*given, *explicit)):
                yield block
