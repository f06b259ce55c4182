"""Workers as EC2 knows them: what a kubelet says of itself is checked against this."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import AddressValueError, IPv4Address
from typing import Any

from node.aws import client, translating_aws_errors
from node.contract import CLUSTER_TAG, POOL_TAG, worker_name

ATTEMPTS = 3
"""Of a request. The next round asks again."""
PER_REQUEST = 100
"""Addresses or ids in a request. EC2 takes 200 values of all filters (FilterLimitExceeded)."""

_PROVIDER_ID = re.compile(r"aws:///([a-z]{2}(?:-[a-z]+)+-\d[a-z])/(i-[0-9a-f]{8,17})")


@dataclass(frozen=True)
class WorkerInstance:
    """A worker's instance that runs, or is about to."""

    id: str
    name: str
    """Of its Node (node.contract.worker_name)."""
    address: str
    """Primary private IPv4 address."""
    zone: str
    launched: datetime

    @property
    def provider_id(self) -> str:
        """What its Node has in spec.providerID."""
        return f"aws:///{self.zone}/{self.id}"


def instance_of(provider_id: str, region: str) -> str | None:
    """The id of the instance that a Node runs on; None when it is none of this region's EC2."""
    found = _PROVIDER_ID.fullmatch(provider_id)
    return found[2] if found and found[1][:-1] == region else None


def address_in(name: str, region: str) -> str | None:
    """The private IPv4 address of the worker whose Node has that name; None when no worker of this
    region has."""
    try:
        address = str(IPv4Address(name.partition(".")[0].removeprefix("ip-").replace("-", ".")))
    except AddressValueError:
        return None
    return address if worker_name(address, region) == name else None


class Ec2:
    """EC2 in one region; everything raises AwsError when AWS does not answer or refuses."""

    def __init__(self, region: str, cluster: str) -> None:
        self._region = region
        self._cluster = cluster
        self._ec2 = client("ec2", region, attempts=ATTEMPTS)

    def workers(self, names: Iterable[str]) -> dict[str, WorkerInstance]:
        """The workers of this cluster whose Nodes have these names, by name."""
        found = {}
        addresses = {address for name in names if (address := address_in(name, self._region))}
        for some in _batches(sorted(addresses)):
            for instance in self._instances(
                {
                    "private-ip-address": some,
                    "instance-state-name": ["pending", "running"],
                    f"tag:{CLUSTER_TAG}": [self._cluster],
                    "tag-key": [POOL_TAG],
                }
            ):
                worker = WorkerInstance(
                    id=instance["InstanceId"],
                    name=worker_name(instance["PrivateIpAddress"], self._region),
                    address=instance["PrivateIpAddress"],
                    zone=instance["Placement"]["AvailabilityZone"],
                    launched=instance["LaunchTime"],
                )
                found[worker.name] = worker
        return found

    def states(self, ids: Iterable[str]) -> dict[str, str]:
        """The states of instances, such as running or terminated, of those that EC2 knows."""
        return {
            instance["InstanceId"]: instance["State"]["Name"]
            for some in _batches(sorted(ids))
            for instance in self._instances({"instance-id": some})
        }

    def _instances(self, filters: Mapping[str, Sequence[str]]) -> Iterator[Mapping[str, Any]]:
        # By filters, since an id that EC2 does not know would be an error for all of them.
        with translating_aws_errors():
            pages = self._ec2.get_paginator("describe_instances").paginate(
                Filters=[{"Name": name, "Values": list(some)} for name, some in filters.items()]
            )
            for page in pages:
                for reservation in page["Reservations"]:
                    yield from reservation["Instances"]


def _batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(values), PER_REQUEST):
        yield values[start : start + PER_REQUEST]
