"""Room for pods: the prefixes of all workers that there may be, against what their subnets have."""

from collections import Counter
from collections.abc import Mapping

from components.naming import worker_groups, worker_pools
from components.network.addressing import PREFIX_ADDRESSES, plan_zones, prefixes_in
from components.network.placement import Placement
from components.workers.pod_capacity import pod_capacity
from config import ClusterSettings


def lacking_prefixes(
    settings: ClusterSettings, placement: Placement, interface_addresses: Mapping[str, int]
) -> list[str]:
    """What is wrong with the sizes of pools, one line for each zone that has not the room.

    EC2 starts no instance whose prefixes do not fit, so a pool would stop growing long before its
    `max`, on the day that it has to. The subnets of an adopted VPC are up to its owner.

    ValueError as `plan_zones`.
    """
    network = settings.network
    if network.existing is not None or not settings.pods_in_vpc:
        return []
    wanted = wanted_prefixes(settings, placement, interface_addresses)
    return [
        f"workers: must be fewer at their max, whose pods need {wanted[plan.zone]} prefixes of "
        f"{PREFIX_ADDRESSES} addresses in {plan.zone}: of network.cidr {network.cidr} the workers' "
        f"subnet there has {prefixes_in(plan.workers)}"
        for plan in plan_zones(network.cidr, placement.slots)
        if wanted[plan.zone] > prefixes_in(plan.workers)
    ]


def wanted_prefixes(
    settings: ClusterSettings, placement: Placement, interface_addresses: Mapping[str, int]
) -> Counter[str]:
    """Prefixes that workers need in each zone, with every pool at its `max` and being replaced: a
    group that could start no successor would never end its old machines."""
    wanted: Counter[str] = Counter()
    for pool in worker_pools(settings, placement):
        instance_type = settings.instance_type(settings.workers[pool.name].instance_type)
        each = pod_capacity(settings, interface_addresses[instance_type]).prefixes
        for group in worker_groups(settings, pool):
            # Auto Scaling keeps the zones of a group even.
            machines = -(-group.most_in_refresh // len(group.zones))
            wanted.update(dict.fromkeys(group.zones, machines * each))
    return wanted
