"""Existing subnets: what AWS says about them, against what the configuration says."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.lookups.aws_queries import LookupFailedError, ask
from components.lookups.cluster_record import Record
from components.network.placement import Placement
from config.network import ExistingNetwork, NetworkSettings

Role = Literal["private", "etcd", "public", "worker"]

BALANCER_ADDRESSES = 8
"""Free addresses that a subnet must have before AWS puts a load balancer there that chooses its
address itself (Network Load Balancers user guide, "Availability Zones")."""


@dataclass(frozen=True)
class ExistingSubnet:
    """A subnet, and the key that names it."""

    key: str
    subnet_id: str
    zone: str
    role: Role


def existing_subnets(existing: ExistingNetwork) -> list[ExistingSubnet]:
    """Every subnet that the configuration names."""
    found = []
    for zone, subnets in existing.zones.items():
        key = f"network.existing.zones.{zone}"
        ids: Mapping[Role, str | None] = {
            "private": subnets.private_subnet_id,
            "etcd": subnets.etcd_subnet_id,
            "public": subnets.public_subnet_id,
            "worker": subnets.worker_subnet_id,
        }
        found += [
            ExistingSubnet(f"{key}.{role}SubnetId", subnet_id, zone, role)
            for role, subnet_id in ids.items()
            if subnet_id is not None
        ]
    return found


def check_existing_subnets(
    network: NetworkSettings,
    *,
    internal: bool,
    placement: Placement,
    record: Record,
    opts: pulumi.InvokeOptions,
) -> None:
    """Compare an adopted network with what AWS has.

    Ids that the program that builds the cluster passes are not in the configuration: their network
    may not exist yet.

    Raises LookupFailedError, with one line for each problem.
    """
    existing = network.existing
    if existing is None or existing.vpc_id is None:
        return
    vpc = ask("network.existing.vpcId", lambda: aws.ec2.get_vpc(id=existing.vpc_id, opts=opts))
    cidrs = {vpc.cidr_block, *(block.cidr_block for block in vpc.cidr_block_associations)}
    problems = []
    if str(network.cidr) not in cidrs:
        problems.append(
            f"network.cidr: must be the CIDR of {existing.vpc_id} ({', '.join(sorted(cidrs))}), "
            f"got {network.cidr}"
        )
    subnets = existing_subnets(existing)
    new = Counter(
        (zone, "etcd" if name.startswith("etcd-") else "private")
        for name, zone in placement.nodes.items()
        if name not in record.nodes
    )
    if not record.slots:
        # An API server goes after its successor came, and all of them at the end of an update.
        new.update({at: count for at, count in new.items() if at[1] == "private"})
        for subnet in subnets:
            if subnet.role == ("private" if internal else "public"):
                new[subnet.zone, subnet.role] += BALANCER_ADDRESSES
    known: dict[str, aws.ec2.GetSubnetResult] = {}
    for subnet in subnets:
        if subnet.subnet_id not in known:
            try:
                known[subnet.subnet_id] = ask(
                    f"{subnet.key}: must exist, got {subnet.subnet_id}",
                    lambda subnet=subnet: aws.ec2.get_subnet(id=subnet.subnet_id, opts=opts),  # type: ignore[misc]
                )
            except LookupFailedError as error:
                problems.append(str(error))
                continue
        found = known[subnet.subnet_id]
        problems += _different(subnet, found, existing)
        problems += _too_full(subnet, found, new)
    if problems:
        raise LookupFailedError("\n".join(problems))


def _different(
    subnet: ExistingSubnet, found: aws.ec2.GetSubnetResult, existing: ExistingNetwork
) -> Iterator[str]:
    if found.vpc_id != existing.vpc_id:
        yield (
            f"{subnet.key}: must be a subnet of {existing.vpc_id}, got {subnet.subnet_id}, which "
            f"is in {found.vpc_id}"
        )
    if found.availability_zone != subnet.zone:
        yield (
            f"{subnet.key}: must be a subnet in {subnet.zone}, got {subnet.subnet_id}, which is in "
            f"{found.availability_zone}"
        )
    if subnet.role == "etcd":
        cidr = existing.zones[subnet.zone].etcd_cidr
        if IPv4Network(found.cidr_block) != cidr:
            yield (
                f"network.existing.zones.{subnet.zone}.etcdCidr: must be the CIDR of "
                f"{subnet.subnet_id}, {found.cidr_block}, got {cidr}"
            )


def _too_full(
    subnet: ExistingSubnet,
    found: aws.ec2.GetSubnetResult,
    new: Mapping[tuple[str, str], int],
) -> Iterator[str]:
    needed = new.get((subnet.zone, subnet.role), 0)
    if found.available_ip_address_count < needed:
        yield (
            f"{subnet.key}: must have {needed} free addresses, got {subnet.subnet_id}, which has "
            f"{found.available_ip_address_count}"
        )
