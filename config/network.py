"""`network`: the VPC, its zones and its way out."""

import re
from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic.alias_generators import to_camel

from config.change import IN_PLACE, REFUSED, Change, Effect
from config.types import Cidr, Settings, check_addressable, check_distinct_networks

MAX_ZONES = 6
"""Zones that the address plan has room for; no AWS region has more."""

MAX_WORKER_CIDRS = 20
"""A security group holds 60 rules in each direction, and the load balancer's also has those of
`api.allowedCidrs` (VPC quotas)."""

FlowLogDays = Literal[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827]
"""Retention that CloudWatch Logs accepts (PutRetentionPolicy), up to five years."""

_ZONE_NAME = re.compile(r"[a-z]{2}(-[a-z]+)+-\d[a-z]")


def _check_vpc_prefix(cidr: IPv4Network) -> IPv4Network:
    if not 16 <= cidr.prefixlen <= 22:
        raise ValueError(
            "must be a /16 to /22: AWS allows no VPC larger than /16, and below /22 the public "
            "subnets of six zones would be smaller than AWS's /28"
        )
    return cidr


def _check_service_prefix(cidr: IPv4Network) -> IPv4Network:
    # kube-apiserver takes at most 2^20 addresses. Below 16 there is no tenth address, which is the
    # one that cluster DNS has by convention (kubeadm, CoreDNS).
    if not 12 <= cidr.prefixlen <= 28:
        raise ValueError("must be a /12 to /28")
    return cidr


def _check_pod_prefix(cidr: IPv4Network) -> IPv4Network:
    # kube-controller-manager cuts a /24 for each node, and at most 2^16 of them.
    if not 8 <= cidr.prefixlen <= 24:
        raise ValueError("must be a /8 to /24")
    return cidr


def _check_zones(zones: int | list[str]) -> int | list[str]:
    if isinstance(zones, int):
        if zones not in {2, 3}:
            raise ValueError(
                "must be 2 or 3, or a list of zone names: fewer zones survive no zone failure"
            )
        return zones
    if not 2 <= len(zones) <= MAX_ZONES:
        raise ValueError(f"must name 2 to {MAX_ZONES} zones")
    if len(set(zones)) != len(zones):
        raise ValueError("must name each zone once")
    for zone in zones:
        if not _ZONE_NAME.fullmatch(zone):
            raise ValueError(
                f"must be names of availability zones such as eu-central-1a, not {zone!r}"
            )
    return zones


VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{1,17}$")]
SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{1,17}$")]
SecurityGroupId = Annotated[str, Field(pattern=r"^sg-[0-9a-f]{1,17}$")]


class ExistingSubnets(Settings):
    """The subnets of one zone of a VPC that is adopted rather than created."""

    private_subnet_id: Annotated[SubnetId | None, REFUSED] = None
    """Subnet of the API servers and, when the load balancer is internal, of the load balancer."""
    etcd_subnet_id: Annotated[SubnetId | None, REFUSED] = None
    """Subnet of the etcd members. Nothing else may live in it: members have fixed addresses."""
    etcd_cidr: Annotated[Cidr, AfterValidator(check_addressable), REFUSED]
    """CIDR of the etcd subnet; member addresses are computed from it before anything is created."""
    public_subnet_id: Annotated[SubnetId | None, IN_PLACE] = None
    """Subnet of the load balancer when `api.internal` is false."""
    worker_subnet_id: Annotated[SubnetId | None, IN_PLACE] = None
    """Subnet of the workers and their pods, needed with `workers`. Reserve most of it for prefixes
    (`aws ec2 create-subnet-cidr-reservation`): they need whole /28 blocks."""


def _check_existing_zones(zones: dict[str, ExistingSubnets]) -> dict[str, ExistingSubnets]:
    _check_zones(list(zones))
    used: dict[str, str] = {}
    for zone, subnets in zones.items():
        for field in (
            "private_subnet_id",
            "etcd_subnet_id",
            "public_subnet_id",
            "worker_subnet_id",
        ):
            subnet_id, key = getattr(subnets, field), f"{zone}.{to_camel(field)}"
            if subnet_id is not None and used.setdefault(subnet_id, key) != key:
                raise ValueError(
                    "must name each subnet once: a subnet is in one zone, and the members' "
                    f"addresses need one of their own; {subnet_id} is {used[subnet_id]} and {key}"
                )
    return zones


class ExistingNetwork(Settings):
    """A VPC that is adopted. Its routes, its way out and its endpoints stay its owner's.

    A stack file names every id. They are left out, all of them, where a program builds the cluster
    and passes their Inputs to it (`NetworkIds`).
    """

    vpc_id: Annotated[VpcId | None, REFUSED] = None
    """The VPC; `network.cidr` must be its CIDR."""
    zones: Annotated[dict[str, ExistingSubnets], AfterValidator(_check_existing_zones), REFUSED]
    """The subnets to use, by zone name."""
    instance_connect_group_id: Annotated[SecurityGroupId | None, IN_PLACE] = None
    """Security group of the EC2 Instance Connect endpoint that the VPC has already: AWS allows one
    in a VPC. With it, `operatorAccess: instance-connect` makes none and lets this one in."""


class NetworkSettings(Settings):
    """`network`: the VPC, its zones and its way out."""

    cidr: Annotated[
        Cidr, AfterValidator(_check_vpc_prefix), AfterValidator(check_addressable), REFUSED
    ] = IPv4Network("10.0.0.0/16")
    """CIDR of the VPC, /16 to /22."""
    service_cidr: Annotated[
        Cidr, AfterValidator(_check_service_prefix), AfterValidator(check_addressable), REFUSED
    ] = IPv4Network("10.96.0.0/16")
    """CIDR of Kubernetes Services, /12 to /28; overlaps neither the VPC nor the pods."""
    pod_cidr: Annotated[
        Cidr, AfterValidator(_check_pod_prefix), AfterValidator(check_addressable), REFUSED
    ] = IPv4Network("10.244.0.0/16")
    """CIDR that the controller-manager cuts node pod ranges from, /8 to /24; left out where
    pods have addresses of the VPC."""
    pod_network: Annotated[
        Literal["vpc", "none"],
        Change(Effect.ROLLS_API, "and every pool"),
    ] = "vpc"
    """Where pods of `workers` have their addresses from: with `vpc` each worker has prefixes of its
    subnet, without an overlay; `none` leaves the network to what you install, which finds a range
    of `podCidr` in each Node. Without pools it is always yours."""
    zones: Annotated[int | list[str], AfterValidator(_check_zones), REFUSED] = 3
    """Number of availability zones (2 or 3, the region's first ones), or their names."""
    accept_two_zones: Annotated[bool, IN_PLACE] = False
    """Accept two zones, of which one holds the majority: its loss stops all writes."""
    nat: Annotated[Literal["perZone", "single", "none"], IN_PLACE] = "perZone"
    """Way out of the private subnets: a gateway per zone, one that dies with its zone, or none,
    which adds interface endpoints and needs `ami` and `artifacts.mirror`."""
    worker_cidrs: Annotated[
        list[Cidr],
        Field(max_length=MAX_WORKER_CIDRS),
        AfterValidator(check_distinct_networks),
        IN_PLACE,
    ] = Field(default_factory=list)
    """CIDRs of workers and pods that are not in the security group `workersSecurityGroupId`. They
    reach the load balancer and the API servers, and API servers reach all their TCP ports."""
    flow_log_days: Annotated[FlowLogDays | None, IN_PLACE] = None
    """Days that flow logs of the VPC are kept in CloudWatch Logs; no flow logs when left out. They
    cost about 0.50 USD per GB of records (CloudWatch pricing, vended logs)."""
    existing: ExistingNetwork | None = None
    """Adopt this VPC instead of creating one; `zones` and `nat` are then not used."""

    @property
    def zones_key(self) -> str:
        """The key that says which zones the cluster spans, for messages."""
        return "network.zones" if self.existing is None else "network.existing.zones"

    @property
    def zone_count(self) -> int:
        """Number of zones that the cluster spans."""
        if self.existing is not None:
            return len(self.existing.zones)
        return self.zones if isinstance(self.zones, int) else len(self.zones)
