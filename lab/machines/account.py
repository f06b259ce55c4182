"""The account as the AWS API has it: everything that becomes a machine or a part of its network."""

import base64
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from node.contract import POOL_TAG

Clients = Callable[[str], Any]
"""Makes a boto3 client from the name of a service."""


@dataclass(frozen=True)
class Subnet:
    """A subnet that holds machines, or may."""

    id: str
    vpc: str
    zone: str
    cidr: IPv4Network


@dataclass(frozen=True)
class Rule:
    """What a security group lets through, in one direction, to or from one peer."""

    protocol: str
    """`tcp`, `udp`, `icmp`, or `-1` for everything."""
    ports: tuple[int, int] | None
    """First and last port (for ICMP: type and code); None is all."""
    cidr: str | None
    group: str | None
    """The peer: an address range, or the members of a group."""


@dataclass(frozen=True)
class Group:
    """A security group."""

    id: str
    ingress: tuple[Rule, ...]
    egress: tuple[Rule, ...]


@dataclass(frozen=True)
class Interface:
    """A network interface: what makes an address a member of security groups."""

    address: IPv4Address
    groups: tuple[str, ...]
    prefixes: tuple[IPv4Network, ...] = ()
    """Ranges of addresses that are its own as well."""


@dataclass(frozen=True)
class Instance:
    """An EC2 instance, as far as its machine can tell."""

    id: str
    state: str
    image: str
    type: str
    subnet: Subnet
    mac: str
    address: IPv4Address
    groups: tuple[str, ...]
    profile: str | None
    """ARN of the instance profile."""
    hop_limit: int
    """Of answers of the metadata service."""
    tokens_required: bool
    metadata: bool
    """Whether the metadata service answers at all."""
    volumes: tuple[str, ...]
    """Attached volumes but the root's, by id."""
    name: str
    """For people: the Name tag, or the id."""
    pool: str | None = None
    """The pool of workers that it belongs to, by its tag."""
    prefixes: tuple[IPv4Network, ...] = ()
    """Ranges of addresses that are its primary interface's as well: its pods'."""
    target_lifecycle_state: str | None = None
    """Where its Auto Scaling group wants it: `InService`, `Terminated`; None without a group."""
    spot: bool = False
    """Whether AWS may take it back."""


@dataclass(frozen=True)
class Account:
    """The account at one moment."""

    instances: Mapping[str, Instance]
    """Those that are not terminated, by id."""
    subnets: Mapping[str, Subnet]
    """By id."""
    groups: Mapping[str, Group]
    """By id."""
    interfaces: tuple[Interface, ...]
    vpcs: Mapping[str, IPv4Network]
    """Address range by id."""
    volumes: Mapping[str, int]
    """Size in GiB by id."""


def observe(clients: Clients) -> Account:
    """Ask for everything; raises botocore's errors when the account does not answer."""
    ec2 = clients("ec2")
    subnets = {
        one["SubnetId"]: Subnet(
            one["SubnetId"], one["VpcId"], one["AvailabilityZone"], IPv4Network(one["CidrBlock"])
        )
        for one in _all(ec2, "describe_subnets", "Subnets")
        if not one["DefaultForAz"]
    }
    scaled = {
        one["InstanceId"]: one["LifecycleState"]
        for one in _all(
            clients("autoscaling"), "describe_auto_scaling_instances", "AutoScalingInstances"
        )
    }
    reservations = _all(ec2, "describe_instances", "Reservations")
    instances = [one for reservation in reservations for one in reservation["Instances"]]
    return Account(
        instances={
            one["InstanceId"]: _instance(one, subnets, scaled.get(one["InstanceId"]))
            for one in instances
            if one["State"]["Name"] != "terminated" and one.get("SubnetId") in subnets
        },
        subnets=subnets,
        groups={
            one["GroupId"]: Group(
                one["GroupId"],
                _rules(one["IpPermissions"]),
                _rules(one["IpPermissionsEgress"]),
            )
            for one in _all(ec2, "describe_security_groups", "SecurityGroups")
        },
        interfaces=tuple(
            Interface(
                IPv4Address(one["PrivateIpAddress"]),
                tuple(group["GroupId"] for group in one["Groups"]),
                _prefixes(one),
            )
            for one in _all(ec2, "describe_network_interfaces", "NetworkInterfaces")
            if one.get("PrivateIpAddress")
        ),
        vpcs={
            one["VpcId"]: IPv4Network(one["CidrBlock"])
            for one in _all(ec2, "describe_vpcs", "Vpcs")
            if not one["IsDefault"]
        },
        volumes={
            one["VolumeId"]: int(one["Size"]) for one in _all(ec2, "describe_volumes", "Volumes")
        },
    )


def user_data(clients: Clients, instance: str) -> bytes:
    """The user data of an instance, byte for byte; empty when it has none."""
    answer = clients("ec2").describe_instance_attribute(InstanceId=instance, Attribute="userData")
    return base64.b64decode(answer.get("UserData", {}).get("Value") or "")


def target_state(lifecycle_state: str) -> str:
    """Where an instance of a group goes, from its life-cycle state (Auto Scaling guide, "Retrieve
    the target lifecycle state through instance metadata"). Pure."""
    if lifecycle_state.startswith("Terminat"):
        return "Terminated"
    return "InService" if lifecycle_state.startswith("Pending") else lifecycle_state


def _instance(
    one: Mapping[str, Any], subnets: Mapping[str, Subnet], lifecycle_state: str | None
) -> Instance:
    primary = next(n for n in one["NetworkInterfaces"] if n["Attachment"]["DeviceIndex"] == 0)
    options = one["MetadataOptions"]
    tags = {tag["Key"]: tag["Value"] for tag in one.get("Tags", [])}
    return Instance(
        id=one["InstanceId"],
        state=one["State"]["Name"],
        image=one["ImageId"],
        type=one["InstanceType"],
        subnet=subnets[one["SubnetId"]],
        mac=primary["MacAddress"],
        address=IPv4Address(primary["PrivateIpAddress"]),
        groups=tuple(sorted(group["GroupId"] for group in primary["Groups"])),
        profile=one.get("IamInstanceProfile", {}).get("Arn"),
        hop_limit=options["HttpPutResponseHopLimit"],
        tokens_required=options["HttpTokens"] == "required",
        metadata=options["HttpEndpoint"] == "enabled",
        volumes=tuple(
            sorted(
                mapping["Ebs"]["VolumeId"]
                for mapping in one["BlockDeviceMappings"]
                if mapping["DeviceName"] != one["RootDeviceName"]
            )
        ),
        name=tags.get("Name", one["InstanceId"]),
        pool=tags.get(POOL_TAG),
        prefixes=_prefixes(primary),
        target_lifecycle_state=target_state(lifecycle_state) if lifecycle_state else None,
        spot=one.get("InstanceLifecycle") == "spot",
    )


def _prefixes(interface: Mapping[str, Any]) -> tuple[IPv4Network, ...]:
    given = interface.get("Ipv4Prefixes", [])
    return tuple(sorted(IPv4Network(one["Ipv4Prefix"]) for one in given))


def _rules(permissions: Iterable[Mapping[str, Any]]) -> tuple[Rule, ...]:
    found = []
    for one in permissions:
        ports = None
        if one["IpProtocol"] != "-1" and one.get("FromPort", -1) != -1:
            ports = (one["FromPort"], one["ToPort"])
        peers = [
            *((peer["CidrIp"], None) for peer in one.get("IpRanges", [])),
            *((None, peer["GroupId"]) for peer in one.get("UserIdGroupPairs", [])),
        ]
        found += [Rule(one["IpProtocol"], ports, cidr, group) for cidr, group in peers]
    return tuple(found)


def _all(client: Any, operation: str, key: str) -> list[dict[str, Any]]:  # noqa: ANN401 - a client made by name has no type
    return [one for page in client.get_paginator(operation).paginate() for one in page[key]]
