"""A network as many have one already: private subnets in three zones, behind a NAT gateway."""

from typing import Any

import pulumi
import pulumi_aws as aws

from components.network.network_ids import NetworkIds

ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
ETCD_CIDRS = {zone: f"10.8.{100 + number}.0/28" for number, zone in enumerate(ZONES)}
NODE_CIDRS = {zone: f"10.8.{number}.0/24" for number, zone in enumerate(ZONES)}


def platform_network() -> NetworkIds:
    """The network's ids, each an Output."""
    vpc = aws.ec2.Vpc("platform", cidr_block="10.8.0.0/16", enable_dns_hostnames=True)
    internet = aws.ec2.InternetGateway("platform", vpc_id=vpc.id)
    public = aws.ec2.Subnet("public", vpc_id=vpc.id, cidr_block="10.8.255.0/28")
    way_out = _route("public", vpc, gateway_id=internet.id)
    public_id = _routed("public", public, way_out)
    address = aws.ec2.Eip("platform", domain="vpc")
    nat = aws.ec2.NatGateway("platform", subnet_id=public_id, allocation_id=address.id)
    route = _route("private", vpc, nat_gateway_id=nat.id)

    def subnets(role: str, cidrs: dict[str, str]) -> dict[str, pulumi.Output[str]]:
        return {
            zone: _routed(
                f"{role}-{zone}",
                aws.ec2.Subnet(
                    f"{role}-{zone}", vpc_id=vpc.id, availability_zone=zone, cidr_block=cidr
                ),
                route,
            )
            for zone, cidr in cidrs.items()
        }

    return NetworkIds(
        vpc_id=vpc.id, private=subnets("nodes", NODE_CIDRS), etcd=subnets("etcd", ETCD_CIDRS)
    )


def _route(name: str, vpc: aws.ec2.Vpc, **target: Any) -> aws.ec2.Route:
    table = aws.ec2.RouteTable(name, vpc_id=vpc.id)
    return aws.ec2.Route(
        name, route_table_id=table.id, destination_cidr_block="0.0.0.0/0", **target
    )


def _routed(name: str, subnet: aws.ec2.Subnet, route: aws.ec2.Route) -> pulumi.Output[str]:
    """The subnet's id, known once it has a way out: instances look for one when they boot."""
    association = aws.ec2.RouteTableAssociation(
        name, subnet_id=subnet.id, route_table_id=route.route_table_id
    )
    return pulumi.Output.all(subnet.id, association.id).apply(lambda ids: str(ids[0]))
