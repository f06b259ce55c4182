"""Reservations of the members' addresses: nothing takes one during a replacement."""

from collections.abc import Mapping
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws

from components.network.addressing import member_ranges


def reserve_member_addresses(
    name: str,
    *,
    cidrs: Mapping[str, IPv4Network],
    subnet_ids: Mapping[str, pulumi.Input[str]],
    parent: pulumi.Resource,
) -> list[pulumi.Resource]:
    """Explicit reservations in the etcd subnet of each zone.

    AWS gives an address of such a range only to whom asks for that very address. A range may hold
    addresses that are in use (VPC user guide, "Subnet CIDR reservations").
    """
    return [
        aws.ec2.SubnetCidrReservation(
            f"{name}-members-{zone}-{int(block[0]) - int(cidr[0])}",
            subnet_id=subnet_ids[zone],
            cidr_block=str(block),
            reservation_type="explicit",
            description=f"etcd members of {name}",
            # Two reservations of a VPC cannot overlap.
            opts=pulumi.ResourceOptions(parent=parent, delete_before_replace=True),
        )
        for zone, cidr in cidrs.items()
        for block in member_ranges(cidr)
    ]
