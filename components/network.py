"""Network: the VPC, its subnets per zone, and the way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.addressing import ZonePlan
from components.tags import named
from config.network import ExistingNetwork


@dataclass(frozen=True, kw_only=True)
class Subnets:
    """The VPC and its subnet ids by zone name, created or adopted."""

    vpc_id: pulumi.Input[str]
    private: Mapping[str, pulumi.Input[str]]
    """Subnets of the API servers, and of an internal balancer."""
    etcd: Mapping[str, pulumi.Input[str]]
    """Subnets that hold etcd members and nothing else."""
    public: Mapping[str, pulumi.Input[str]]
    """Subnets of an internet-facing balancer; empty when none were adopted."""


def adopted(existing: ExistingNetwork) -> Subnets:
    """The subnets of a VPC that somebody else owns."""
    zones = existing.zones.items()
    return Subnets(
        vpc_id=existing.vpc_id,
        private={zone: subnets.private_subnet_id for zone, subnets in zones},
        etcd={zone: subnets.etcd_subnet_id for zone, subnets in zones},
        public={
            zone: subnets.public_subnet_id for zone, subnets in zones if subnets.public_subnet_id
        },
    )


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a Network is built from."""

    cidr: IPv4Network
    """CIDR of the VPC."""
    zones: tuple[ZonePlan, ...]
    """The subnets of each zone."""
    region: str
    """Region, for the name of the S3 endpoint."""
    nat: Literal["perZone", "single", "none"] = "perZone"
    """NAT gateways of the private subnets."""
    after: Sequence[pulumi.Resource] = ()
    """What must be there before the VPC, and goes after it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class Network(pulumi.ComponentResource):
    """A VPC with public, private and etcd subnets in every zone."""

    subnets: Subnets
    """The VPC's id and its subnets' ids."""

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:Network", name, {}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._vpc = aws.ec2.Vpc(
            name,
            cidr_block=str(args.cidr),
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=named(args.tags, name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.after)),
        )
        public = {plan.zone: self._subnet("public", plan.zone, plan.public) for plan in args.zones}
        private = {
            plan.zone: self._subnet("private", plan.zone, plan.private) for plan in args.zones
        }
        etcd = {plan.zone: self._subnet("etcd", plan.zone, plan.etcd) for plan in args.zones}
        internet = self._public_routes(public)
        gateways = self._nat_gateways(public, internet)
        self._private_routes(private, etcd, gateways)
        self.subnets = Subnets(
            vpc_id=self._vpc.id,
            private={zone: subnet.id for zone, subnet in private.items()},
            etcd={zone: subnet.id for zone, subnet in etcd.items()},
            public={zone: subnet.id for zone, subnet in public.items()},
        )
        self.register_outputs({"vpc_id": self._vpc.id})

    def _subnet(self, kind: str, zone: str, cidr: IPv4Network) -> aws.ec2.Subnet:
        subnet_name = f"{self._name}-{kind}-{zone}"
        return aws.ec2.Subnet(
            subnet_name,
            vpc_id=self._vpc.id,
            availability_zone=zone,
            cidr_block=str(cidr),
            map_public_ip_on_launch=False,
            tags=named(self._args.tags, subnet_name),
            opts=self._child,
        )

    def _route_table(self, suffix: str) -> aws.ec2.RouteTable:
        table_name = f"{self._name}-{suffix}"
        return aws.ec2.RouteTable(
            table_name,
            vpc_id=self._vpc.id,
            tags=named(self._args.tags, table_name),
            opts=self._child,
        )

    def _associate(self, suffix: str, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable) -> None:
        aws.ec2.RouteTableAssociation(
            f"{self._name}-{suffix}",
            subnet_id=subnet.id,
            route_table_id=table.id,
            opts=self._child,
        )

    def _public_routes(self, public: Mapping[str, aws.ec2.Subnet]) -> aws.ec2.Route:
        """Route the public subnets to the internet; the route is what NAT gateways wait for."""
        gateway = aws.ec2.InternetGateway(
            self._name,
            vpc_id=self._vpc.id,
            tags=named(self._args.tags, self._name),
            opts=self._child,
        )
        table = self._route_table("public")
        for zone, subnet in public.items():
            self._associate(f"public-{zone}", subnet, table)
        return aws.ec2.Route(
            f"{self._name}-public",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child,
        )

    def _nat_gateways(
        self, public: Mapping[str, aws.ec2.Subnet], internet: aws.ec2.Route
    ) -> dict[str, aws.ec2.NatGateway]:
        """The NAT gateway that each zone uses."""
        zones = tuple(public)
        homes = {"perZone": zones, "single": zones[:1], "none": ()}[self._args.nat]
        gateways = {}
        for zone in homes:
            nat_name = f"{self._name}-nat-{zone}"
            tags = named(self._args.tags, nat_name)
            address = aws.ec2.Eip(nat_name, domain="vpc", tags=tags, opts=self._child)
            gateways[zone] = aws.ec2.NatGateway(
                nat_name,
                allocation_id=address.allocation_id,
                subnet_id=public[zone].id,
                tags=tags,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[internet]),
            )
        if not gateways:
            return {}
        shared = gateways[homes[0]]
        return {zone: gateways.get(zone, shared) for zone in zones}

    def _private_routes(
        self,
        private: Mapping[str, aws.ec2.Subnet],
        etcd: Mapping[str, aws.ec2.Subnet],
        gateways: Mapping[str, aws.ec2.NatGateway],
    ) -> None:
        """A route table per zone, for its private and its etcd subnet, with S3 on the inside."""
        tables = {}
        for zone, subnet in private.items():
            tables[zone] = table = self._route_table(f"private-{zone}")
            self._associate(f"private-{zone}", subnet, table)
            self._associate(f"etcd-{zone}", etcd[zone], table)
            if zone in gateways:
                aws.ec2.Route(
                    f"{self._name}-private-{zone}",
                    route_table_id=table.id,
                    destination_cidr_block="0.0.0.0/0",
                    nat_gateway_id=gateways[zone].id,
                    opts=self._child,
                )
        endpoint_name = f"{self._name}-s3"
        aws.ec2.VpcEndpoint(
            endpoint_name,
            vpc_id=self._vpc.id,
            service_name=f"com.amazonaws.{self._args.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables.values()],
            tags=named(self._args.tags, endpoint_name),
            opts=self._child,
        )
