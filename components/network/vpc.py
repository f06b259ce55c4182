"""Network: the VPC, its subnets per zone, and the way out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Literal

import pulumi
import pulumi_aws as aws

from components.monitoring.flow_logs import FlowLogs, FlowLogsArgs
from components.network.addressing import ZonePlan, prefix_ranges
from components.network.network_ids import NetworkIds
from components.nodes.role_policy import Account
from components.tags import named, outside_kubernetes

SubnetKind = Literal["public", "private", "etcd", "workers"]

ROLE_TAGS: Mapping[SubnetKind, Mapping[str, str]] = {
    "public": {"kubernetes.io/role/elb": "1"},
    "private": {"kubernetes.io/role/internal-elb": "1"},
    "etcd": {},
    "workers": {},
}
"""Where the load balancers of Services go (cloud-provider-aws, AWS Load Balancer Controller). A
subnet without a role can still be chosen when it carries the cluster's tag, so those of etcd and of
workers carry neither: an address that a load balancer takes there may be a member's, or leave a
worker no whole /28."""


def s3_endpoint_policy(account_id: str) -> str:
    """Policy of the S3 gateway endpoint: buckets of this account, and reading anywhere.

    Every request to S3 in the region goes through the endpoint, those of pods too. Layers of images
    (registry.k8s.io, ECR), packages and mirrors are read from buckets of other accounts, so a list
    of buckets would stop workers. Writing to another account is what a stolen key would be used
    for, and nothing of a cluster does it.
    """
    return json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Sid": "BucketsOfThisAccount",
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "s3:*",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"s3:ResourceAccount": account_id}},
                },
                {
                    "Sid": "ReadAnywhere",
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": ["s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"],
                    "Resource": "*",
                },
            ],
        }
    )


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """What a Network is built from."""

    cidr: IPv4Network
    """CIDR of the VPC."""
    zones: tuple[ZonePlan, ...]
    """The subnets of each zone."""
    account: Account
    """Account and region, for the S3 endpoint and the flow logs."""
    nat: Literal["perZone", "single", "none"] = "perZone"
    """NAT gateways of the private subnets."""
    workers: bool = False
    """Subnets for workers too."""
    pods: bool = False
    """Most of each subnet of workers is reserved for the prefixes of their pods."""
    flow_log_days: int | None = None
    """Days that flow logs are kept; None makes none."""
    after: Sequence[pulumi.Resource] = ()
    """What must be there before the VPC, and goes after it."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class Network(pulumi.ComponentResource):
    """A VPC with public, private and etcd subnets in every zone."""

    ids: NetworkIds
    """The VPC's id and its subnets' ids."""

    def __init__(
        self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:Network", name, {}, opts)
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        self._vpc = aws.ec2.Vpc(
            name,
            cidr_block=str(args.cidr),
            enable_dns_hostnames=True,
            enable_dns_support=True,
            tags=named(args.tags, name),
            opts=pulumi.ResourceOptions(parent=self, depends_on=list(args.after)),
        )
        self._close_default_group()
        if args.flow_log_days is not None:
            FlowLogs(
                f"{name}-flow-logs",
                FlowLogsArgs(
                    vpc_id=self._vpc.id,
                    account=args.account,
                    keep_days=args.flow_log_days,
                    tags=args.tags,
                ),
                self._child,
            )
        public = {plan.zone: self._subnet("public", plan.zone, plan.public) for plan in args.zones}
        private = {
            plan.zone: self._subnet("private", plan.zone, plan.private) for plan in args.zones
        }
        etcd = {plan.zone: self._subnet("etcd", plan.zone, plan.etcd) for plan in args.zones}
        workers = {
            plan.zone: self._subnet("workers", plan.zone, plan.workers)
            for plan in args.zones
            if args.workers
        }
        for plan in args.zones:
            if args.workers and args.pods:
                self._reserve_prefixes(plan, workers[plan.zone])
        internet = self._public_routes(public)
        addresses, gateways = self._nat_gateways(public, internet)
        self._private_routes({"private": private, "etcd": etcd, "workers": workers}, gateways)
        self.ids = NetworkIds(
            vpc_id=self._vpc.id,
            private={zone: subnet.id for zone, subnet in private.items()},
            etcd={zone: subnet.id for zone, subnet in etcd.items()},
            public={zone: subnet.id for zone, subnet in public.items()},
            workers={zone: subnet.id for zone, subnet in workers.items()},
            nat_addresses=addresses,
        )
        self.register_outputs({"vpcId": self._vpc.id})

    def _close_default_group(self) -> None:
        """Take every rule from the group that AWS gives to an interface for which none is named."""
        group_name = f"{self.pulumi_resource_name}-default"
        aws.ec2.DefaultSecurityGroup(
            group_name,
            vpc_id=self._vpc.id,
            tags=named(self._args.tags, group_name),
            opts=self._child,
        )

    def _subnet(self, kind: SubnetKind, zone: str, cidr: IPv4Network) -> aws.ec2.Subnet:
        subnet_name = f"{self.pulumi_resource_name}-{kind}-{zone}"
        tags = self._args.tags if ROLE_TAGS[kind] else outside_kubernetes(self._args.tags)
        return aws.ec2.Subnet(
            subnet_name,
            vpc_id=self._vpc.id,
            availability_zone=zone,
            cidr_block=str(cidr),
            map_public_ip_on_launch=False,
            tags=named({**tags, **ROLE_TAGS[kind]}, subnet_name),
            opts=self._child,
        )

    def _reserve_prefixes(self, plan: ZonePlan, subnet: aws.ec2.Subnet) -> None:
        """Keep most of a zone's subnet of workers for prefixes; instances wait for this component,
        so that none takes an address in there before."""
        for block in prefix_ranges(plan.workers):
            aws.ec2.SubnetCidrReservation(
                f"{self.pulumi_resource_name}-pods-{plan.zone}-{block.prefixlen}",
                subnet_id=subnet.id,
                cidr_block=str(block),
                reservation_type="prefix",
                description=f"pods of {self.pulumi_resource_name}",
                # Two reservations of a VPC cannot overlap.
                opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
            )

    def _route_table(self, suffix: str) -> aws.ec2.RouteTable:
        table_name = f"{self.pulumi_resource_name}-{suffix}"
        return aws.ec2.RouteTable(
            table_name,
            vpc_id=self._vpc.id,
            tags=named(self._args.tags, table_name),
            opts=self._child,
        )

    def _associate(self, suffix: str, subnet: aws.ec2.Subnet, table: aws.ec2.RouteTable) -> None:
        aws.ec2.RouteTableAssociation(
            f"{self.pulumi_resource_name}-{suffix}",
            subnet_id=subnet.id,
            route_table_id=table.id,
            opts=self._child,
        )

    def _public_routes(self, public: Mapping[str, aws.ec2.Subnet]) -> aws.ec2.Route:
        """Route the public subnets to the internet; the route is what NAT gateways wait for."""
        gateway = aws.ec2.InternetGateway(
            self.pulumi_resource_name,
            vpc_id=self._vpc.id,
            tags=named(self._args.tags, self.pulumi_resource_name),
            opts=self._child,
        )
        table = self._route_table("public")
        for zone, subnet in public.items():
            self._associate(f"public-{zone}", subnet, table)
        return aws.ec2.Route(
            f"{self.pulumi_resource_name}-public",
            route_table_id=table.id,
            destination_cidr_block="0.0.0.0/0",
            gateway_id=gateway.id,
            opts=self._child,
        )

    def _nat_gateways(
        self, public: Mapping[str, aws.ec2.Subnet], internet: aws.ec2.Route
    ) -> tuple[dict[str, pulumi.Output[str]], dict[str, aws.ec2.NatGateway]]:
        """The public address of each NAT gateway, and the NAT gateway that each zone uses."""
        zones = tuple(public)
        homes = {"perZone": zones, "single": zones[:1], "none": ()}[self._args.nat]
        addresses, gateways = {}, {}
        for zone in homes:
            nat_name = f"{self.pulumi_resource_name}-nat-{zone}"
            tags = named(self._args.tags, nat_name)
            address = aws.ec2.Eip(nat_name, domain="vpc", tags=tags, opts=self._child)
            addresses[zone] = address.public_ip
            gateways[zone] = aws.ec2.NatGateway(
                nat_name,
                allocation_id=address.allocation_id,
                subnet_id=public[zone].id,
                tags=tags,
                opts=pulumi.ResourceOptions(parent=self, depends_on=[internet]),
            )
        if not gateways:
            return {}, {}
        shared = gateways[homes[0]]
        return addresses, {zone: gateways.get(zone, shared) for zone in zones}

    def _private_routes(
        self,
        subnets: Mapping[SubnetKind, Mapping[str, aws.ec2.Subnet]],
        gateways: Mapping[str, aws.ec2.NatGateway],
    ) -> None:
        """A route table per zone, for its subnets that are not public, with S3 on the inside."""
        tables = {}
        for zone in subnets["private"]:
            tables[zone] = table = self._route_table(f"private-{zone}")
            for kind, of_kind in subnets.items():
                if zone in of_kind:
                    self._associate(f"{kind}-{zone}", of_kind[zone], table)
            if zone in gateways:
                aws.ec2.Route(
                    f"{self.pulumi_resource_name}-private-{zone}",
                    route_table_id=table.id,
                    destination_cidr_block="0.0.0.0/0",
                    nat_gateway_id=gateways[zone].id,
                    opts=self._child,
                )
        endpoint_name = f"{self.pulumi_resource_name}-s3"
        aws.ec2.VpcEndpoint(
            endpoint_name,
            vpc_id=self._vpc.id,
            service_name=f"com.amazonaws.{self._args.account.region}.s3",
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id for table in tables.values()],
            policy=s3_endpoint_policy(self._args.account.account_id),
            tags=named(self._args.tags, endpoint_name),
            opts=self._child,
        )
