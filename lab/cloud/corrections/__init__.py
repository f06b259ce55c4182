"""Corrections of moto 5.2.5, one file per concern: what stock moto does, what AWS does, what the
difference costs.

Importing this package patches moto in the importing process, so only `lab.cloud.emulator` imports
it. The patches use moto's internals: a new moto version needs the tests of lab/tests/cloud before
anything else.
"""

from lab.cloud.corrections import (
    addresses,
    buckets,
    connect_endpoints,
    deregistration,
    ebs_volumes,
    flow_log_groups,
    group_rules,
    images,
    instance_interfaces,
    launches,
    life_cycle,
    listeners,
    load_balancer_interfaces,
    load_balancers,
    monitoring,
    parameters,
    placement_groups,
    reservations,
    reserved_names,
    subnets,
    tagging,
    target_health,
    volume_changes,
)

__all__ = [
    "addresses",
    "buckets",
    "connect_endpoints",
    "deregistration",
    "ebs_volumes",
    "flow_log_groups",
    "group_rules",
    "images",
    "instance_interfaces",
    "launches",
    "life_cycle",
    "listeners",
    "load_balancer_interfaces",
    "load_balancers",
    "monitoring",
    "parameters",
    "placement_groups",
    "reservations",
    "reserved_names",
    "subnets",
    "tagging",
    "target_health",
    "volume_changes",
]
