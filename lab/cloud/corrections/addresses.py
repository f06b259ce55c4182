"""Private addresses of a subnet.

Stock moto keeps the address of a terminated instance for ever (a replacement with the same fixed
address fails and is retried for minutes), hands freed fixed addresses to others, gives NAT gateways
and endpoints addresses outside their subnet, and answers 500 where AWS refuses. Here an address is
taken exactly as long as an interface holds it.
"""

import ipaddress
from collections.abc import Iterator

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models import EC2Backend, nat_gateways, vpcs
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.nat_gateways import NatGateway
from moto.ec2.models.subnets import Subnet

from lab.cloud.corrections.patching import LAUNCH_LOCK, Method, extends, replaces

RESERVED = (0, 1, 2, 3, -1)
"""Positions in a subnet that AWS keeps: network, router, DNS, future use, broadcast (VPC guide,
"Subnet sizing")."""


def _taken(subnet: Subnet) -> set[str]:
    return {
        address["PrivateIpAddress"]
        for interface in list(subnet.ec2_backend.enis.values())
        if interface.subnet.id == subnet.id
        for address in interface.private_ip_addresses
    }


def _free(subnet: Subnet) -> Iterator[str]:
    kept = {subnet.cidr[position] for position in RESERVED}
    for reservation in list(subnet._cidr_reservations):  # noqa: SLF001 - moto has no public name for it
        kept.update(reservation.cidr)
    for interface in list(subnet.ec2_backend.enis.values()):
        for prefix in interface.__dict__.get("ipv4_prefixes", ()):
            kept.update(ipaddress.IPv4Network(prefix["Ipv4Prefix"]))
    taken = _taken(subnet)
    return (str(a) for a in subnet.cidr if a not in kept and str(a) not in taken)


@replaces(Subnet, "get_available_subnet_ip")
def get_available_subnet_ip(subnet: Subnet, instance: object = None) -> str:  # noqa: ARG001 - moto's signature
    """The lowest address that is neither taken nor reserved.

    Raises InsufficientFreeAddressesInSubnet.
    """
    address = next(_free(subnet), None)
    if address is None:
        raise EC2ClientError(
            "InsufficientFreeAddressesInSubnet",
            f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the request.",
        )
    return address


@replaces(Subnet, "request_ip")
def request_ip(subnet: Subnet, ip: str, instance: object = None) -> None:  # noqa: ARG001 - moto's signature
    """Check that a given address may be used. Raises InvalidParameterValue,
    InvalidIPAddress.InUse."""
    address = ipaddress.ip_address(ip)
    if address not in subnet.cidr:
        raise EC2ClientError(
            "InvalidParameterValue",
            f"Address {ip} does not fall within the subnet's address range",
        )
    if address in {subnet.cidr[position] for position in RESERVED}:
        raise EC2ClientError(
            "InvalidParameterValue", f"Address {ip} is in subnet's reserved address range"
        )
    if ip in _taken(subnet):
        raise EC2ClientError("InvalidIPAddress.InUse", f"Address {ip} is in use.")


@replaces(Subnet, "del_subnet_ip")
def del_subnet_ip(subnet: Subnet, ip: str) -> None:
    """Nothing: an address is free as soon as no interface holds it."""


@extends(EC2Backend, "create_network_interface")
def create_network_interface(
    original: Method,
    backend: EC2Backend,
    subnet: Subnet | str,
    private_ip_address: str | list[str] | None,
    *args: object,
    **kwargs: object,
) -> NetworkInterface:
    """Give every interface a checked or free address of its own subnet.

    Raises as `request_ip` and `get_available_subnet_ip`.
    """
    place = backend.get_subnet(subnet) if isinstance(subnet, str) else subnet
    given = private_ip_address or None
    if isinstance(given, list):
        given = given[0]
    with LAUNCH_LOCK:
        if given:
            request_ip(place, given)
        address = given or get_available_subnet_ip(place)
        interface: NetworkInterface = original(backend, place, address, *args, **kwargs)
        return interface


# Both make an interface at a random address of 10.0.0.0/8; without one the interface gets a free
# address of its subnet.
for _module in (nat_gateways, vpcs):
    setattr(_module, "random_private_ip", lambda: None)  # noqa: B010 - mypy would want moto's own type


@extends(EC2Backend, "delete_nat_gateway")
def delete_nat_gateway(original: Method, backend: EC2Backend, nat_gateway_id: str) -> NatGateway:
    """DeleteNatGateway takes its interface along; stock moto keeps it."""
    gateway: NatGateway = original(backend, nat_gateway_id)
    backend.enis.pop(gateway._eni.id, None)  # noqa: SLF001 - moto has no public name for it
    return gateway
