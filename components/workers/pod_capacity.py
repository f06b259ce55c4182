"""Pods that a worker has room for, from the addresses that its instance type may have. Pure."""

from dataclasses import dataclass

from components.network.addressing import PREFIX_ADDRESSES
from config import ClusterSettings

MOST_PODS = 110
"""Kubernetes is made for no more on a node ("Considerations for large clusters")."""


@dataclass(frozen=True)
class PodCapacity:
    """What the interface of a worker asks EC2 for, and how many pods then fit."""

    prefixes: int
    """Prefixes of the subnet, a /28 each; 0 where pods have no addresses of the VPC."""
    pods: int


def pod_capacity(settings: ClusterSettings, interface_addresses: int) -> PodCapacity:
    """The capacity of an instance type whose interfaces may have so many IPv4 addresses.

    An interface takes a prefix in the place of each address but its own (EC2 user guide, "Prefix
    delegation"): six addresses are 80 pods, ten and more are all that a node should have.
    """
    if not settings.pods_in_vpc:
        return PodCapacity(0, MOST_PODS)
    wanted = -(-MOST_PODS // PREFIX_ADDRESSES)
    prefixes = min(wanted, interface_addresses - 1)
    return PodCapacity(prefixes, min(MOST_PODS, PREFIX_ADDRESSES * prefixes))
