"""Address plan: every subnet and every member address, computed from the configuration.

Cut of a VPC of prefix p, in eighths: blocks 0 to 5 are of up to six zones, the lower half of each
its private subnet and the upper half its workers'; block 6 holds the public ones (p+6), block 7
begins with the etcd ones (/28). Halves of workers are kept free where there are none. Each zone
keeps the slot that it was given (placement.py), so no zone that comes or goes moves another's
addresses.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, summarize_address_range
from itertools import islice

from config.network import MAX_ZONES, NetworkSettings

ETCD_SUBNET_PREFIX = 28
"""AWS's smallest subnet: 11 usable addresses, for at most seven members."""

FIRST_HOST = 4
"""AWS keeps the first four addresses of a subnet (and the last) for itself."""

PREFIX_ADDRESSES = 16
"""Addresses of a prefix that EC2 gives to an interface, a /28."""

MEMBER_HOSTS = 8
"""Addresses kept for members in each etcd subnet: seven, rounded up to whole CIDR blocks."""


@dataclass(frozen=True)
class ZonePlan:
    """The subnets of one availability zone."""

    zone: str
    private: IPv4Network
    workers: IPv4Network
    public: IPv4Network
    etcd: IPv4Network


def plan_zones(cidr: IPv4Network, slots: Mapping[str, int]) -> tuple[ZonePlan, ...]:
    """The subnets of each zone of a VPC that the program creates, in the order of the slots.

    `slots` has the place of each zone in the plan, by zone name.

    ValueError for a slot that the plan does not have.
    """
    if not set(slots.values()) <= set(range(MAX_ZONES)):
        raise ValueError(f"the address plan has slots 0 to {MAX_ZONES - 1}, not {slots}")
    *zones, public_block, etcd_block = cidr.subnets(prefixlen_diff=3)
    public = list(public_block.subnets(prefixlen_diff=3))
    etcd = list(islice(etcd_block.subnets(new_prefix=ETCD_SUBNET_PREFIX), MAX_ZONES))
    plans = []
    for zone, slot in sorted(slots.items(), key=lambda item: item[1]):
        private, workers = zones[slot].subnets()
        plans.append(ZonePlan(zone, private, workers, public[slot], etcd[slot]))
    return tuple(plans)


def member_address(etcd_subnet: IPv4Network, member: int) -> IPv4Address:
    """The fixed address of the member with this number in its zone's etcd subnet.

    It depends on nothing but the number, so no other member's coming or going changes it.
    """
    return etcd_subnet[FIRST_HOST + member]


def member_ranges(etcd_subnet: IPv4Network) -> tuple[IPv4Network, ...]:
    """The CIDR blocks that hold the address of every member which any size may have.

    They depend on the subnet alone, so that a change of size changes none of them.
    """
    first, last = etcd_subnet[FIRST_HOST], etcd_subnet[FIRST_HOST + MEMBER_HOSTS - 1]
    return tuple(summarize_address_range(first, last))


def prefix_ranges(worker_subnet: IPv4Network) -> tuple[IPv4Network, IPv4Network]:
    """The upper three quarters of a subnet of workers, from which they have prefixes for pods.

    A prefix is a whole /28. Single addresses come from the rest: scattered over all of the subnet
    they would leave no /28 whole, long before it is full.
    """
    lower, upper = worker_subnet.subnets()
    return list(lower.subnets())[1], upper


def prefixes_in(worker_subnet: IPv4Network) -> int:
    """The prefixes that a subnet of workers has room for."""
    held = sum(block.num_addresses for block in prefix_ranges(worker_subnet))
    return held // PREFIX_ADDRESSES


def etcd_cidrs(network: NetworkSettings, slots: Mapping[str, int]) -> Mapping[str, IPv4Network]:
    """The etcd subnet of each zone, planned or adopted; ValueError as `plan_zones`."""
    if network.existing is not None:
        return {zone: network.existing.zones[zone].etcd_cidr for zone in slots}
    return {plan.zone: plan.etcd for plan in plan_zones(network.cidr, slots)}


def service_address(service_cidr: IPv4Network) -> IPv4Address:
    """The address of the `kubernetes` Service: the first of the service network."""
    return service_cidr[1]
