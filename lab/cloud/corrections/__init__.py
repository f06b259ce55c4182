"""Corrections of moto 5.2.5, one file per concern: what stock moto does, what AWS does, what the
difference costs.

Importing this package patches moto in the importing process, so only `lab.cloud.emulator` imports
it. The patches use moto's internals: a new moto version needs the tests of tests/cloud before
anything else.
"""

from lab.cloud.corrections import (
    addresses,
    buckets,
    connect_endpoints,
    deregistration,
    flow_logs,
    images,
    instances,
    life_cycle,
    load_balancer_interfaces,
    load_balancers,
    monitoring,
    placement_groups,
    reservations,
    rules,
    target_health,
    volumes,
)

__all__ = [
    "addresses",
    "buckets",
    "connect_endpoints",
    "deregistration",
    "flow_logs",
    "images",
    "instances",
    "life_cycle",
    "load_balancer_interfaces",
    "load_balancers",
    "monitoring",
    "placement_groups",
    "reservations",
    "rules",
    "target_health",
    "volumes",
]
