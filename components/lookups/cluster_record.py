"""Record of a cluster: what was chosen when it was made, and cannot be chosen again.

It lies in Parameter Store, an entry for the cluster and one for each node. Every run reads it
before anything is registered, so a change that the cluster would not survive is refused in the
preview, and zones and image stay what they are. A node's entry is deleted after the node itself:
while there is one, the node may exist.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

from components.naming import ParameterPaths
from components.tags import named
from config import ClusterSettings

CLUSTER = "cluster"
"""The entry of the cluster as a whole."""
RUNBOOK = "docs/runbooks/destroy.md"

_REBUILT = (
    "would replace every subnet and machine and give every member another address, which the "
    "cluster does not survive"
)
_CONSEQUENCES = {
    "network.cidr": _REBUILT,
    "network.serviceCidr": (
        "leaves Services with addresses of the old network, and certificates without the address "
        "of the Service kubernetes"
    ),
    "network.podCidr": "leaves nodes with pod ranges of the old network",
    "network.existing": _REBUILT,
    "api.internal": (
        "would replace the load balancer, and kubeconfigs and kubelets know the old one's name only"
    ),
    "architecture": "would replace every machine by one with another processor and another image",
}
"""What another value does to a living cluster, by key or by the keys below it."""


@dataclass(frozen=True)
class Record:
    """What the record of a cluster says; empty when there is no cluster."""

    protect: bool = False
    """Whether the cluster was protected when it was last updated."""
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Values of the keys that cannot change on a living cluster, as `fixed_settings` has them."""
    volume_gib: int = 0
    """Size of the data volumes."""
    slots: Mapping[str, int] = field(default_factory=dict)
    """Place of each zone in the address plan."""
    image_id: str | None = None
    """Image of the instances."""
    nodes: Mapping[str, str] = field(default_factory=dict)
    """Zone of each node that may exist."""


def fixed_settings(settings: ClusterSettings) -> dict[str, str]:
    """The settings that cannot change on a living cluster, by key."""
    network = settings.network
    values = {
        "network.cidr": str(network.cidr),
        "network.serviceCidr": str(network.service_cidr),
        "network.existing.vpcId": str(network.existing.vpc_id) if network.existing else "none",
        "api.internal": json.dumps(settings.api.internal),
        "architecture": settings.architecture,
    }
    if not settings.pods_in_vpc:
        values["network.podCidr"] = str(network.pod_cidr)
    if network.existing is None:
        return values
    for zone, subnets in network.existing.zones.items():
        key = f"network.existing.zones.{zone}"
        values[f"{key}.privateSubnetId"] = str(subnets.private_subnet_id)
        values[f"{key}.etcdSubnetId"] = str(subnets.etcd_subnet_id)
        values[f"{key}.etcdCidr"] = str(subnets.etcd_cidr)
        if not settings.api.internal:
            values[f"{key}.publicSubnetId"] = str(subnets.public_subnet_id)
    return values


def read_record(entries: Mapping[str, str]) -> Record:
    """The record of the entries that Parameter Store has, by the entries' names."""
    if CLUSTER not in entries:
        return Record()
    cluster: dict[str, Any] = json.loads(entries[CLUSTER])
    return Record(
        protect=cluster["protect"],
        fixed=cluster["fixed"],
        volume_gib=cluster["volumeGib"],
        slots=cluster["slots"],
        image_id=cluster["image"],
        nodes={name: zone for name, zone in entries.items() if name != CLUSTER},
    )


def cluster_entry(settings: ClusterSettings, slots: Mapping[str, int], image_id: str) -> str:
    """The entry of the cluster as a whole; what `read_record` reads."""
    return json.dumps(
        {
            "protect": settings.protect,
            "fixed": fixed_settings(settings),
            "volumeGib": settings.etcd.data_volume.size_gib,
            "slots": dict(slots),
            "image": image_id,
        },
        sort_keys=True,
    )


def refusals(settings: ClusterSettings, record: Record, slots: Mapping[str, int]) -> list[str]:
    """What an existing cluster does not survive, or AWS cannot do, one line each.

    A cluster is protected until an update has taken the protection off.
    """
    size = settings.etcd.data_volume.size_gib
    found = []
    if size < record.volume_gib:
        found.append(
            f"etcd.dataVolume.sizeGib: must be at least {record.volume_gib}, the size of the "
            f"volumes that exist, got {size}: EBS cannot shrink a volume"
        )
    if not (settings.protect or record.protect):
        return found
    remedy = f"set it back; to give the cluster up, see {RUNBOOK}"
    for key, old, new in _changes(settings, record):
        found.append(
            f"{key}: must stay {old} while the cluster is protected, got {new}, which "
            f"{_consequence(key)}: {remedy}"
        )
    if gone := _zones_given_up(record, slots):
        found.append(
            f"{settings.network.zones_key}: must keep {gone} while the cluster is protected: "
            "leaving a zone would replace its members with their disks, and the load balancer: "
            + remedy
        )
    return found


def warnings(settings: ClusterSettings, record: Record, slots: Mapping[str, int]) -> list[str]:
    """What happens to an existing cluster that is not protected, one line each."""
    if settings.protect or record.protect:
        return []
    found = [
        f"{key}: changes from {old} to {new}, which {_consequence(key)}"
        for key, old, new in _changes(settings, record)
    ]
    if gone := _zones_given_up(record, slots):
        found.append(
            f"{settings.network.zones_key}: no longer has {gone}: members there are replaced "
            "with their disks, several at a time, and the load balancer as well"
        )
    return found


def _changes(settings: ClusterSettings, record: Record) -> Iterator[tuple[str, str, str]]:
    """Key, old and new value of what differs; a zone that is new or gone is none of them."""
    wanted = fixed_settings(settings)
    for key in sorted(wanted.keys() & record.fixed.keys()):
        if wanted[key] != record.fixed[key]:
            yield key, record.fixed[key], wanted[key]


def _consequence(key: str) -> str:
    return next(text for prefix, text in _CONSEQUENCES.items() if key.startswith(prefix))


def _zones_given_up(record: Record, slots: Mapping[str, int]) -> str:
    return ", ".join(sorted(record.slots.keys() - slots.keys()))


def record_parameter(
    name: str,
    entry: str,
    value: str,
    *,
    paths: ParameterPaths,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.ssm.Parameter:
    """One entry of the record. What it speaks of depends on it, so that it goes last."""
    return aws.ssm.Parameter(
        f"{name}-record",
        name=paths.recorded(entry),
        type="String",
        description=f"What was chosen for {entry} and stays chosen",
        value=value,
        tags=named(tags, f"{name}-record"),
        opts=pulumi.ResourceOptions(parent=parent),
    )
