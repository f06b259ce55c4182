"""VpcEndpoints: the AWS APIs that nodes call, inside a VPC without a way out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.tags import named

SERVICES = ("ssm", "monitoring")
"""Names in PrivateLink of the AWS APIs that the node agent calls: Parameter Store, CloudWatch. S3
has a gateway endpoint. KMS is called by these services, load balancing by nobody."""
WORKER_SERVICES = ("autoscaling", "ec2")
"""What is called besides where there are pools: a worker says that it is drained, and an API server
asks which instance a kubelet is on."""


@dataclass(frozen=True, kw_only=True)
class VpcEndpointsArgs:
    """What VpcEndpoints are built from."""

    vpc_id: pulumi.Input[str]
    """The VPC."""
    subnet_ids: Sequence[pulumi.Input[str]]
    """Where the endpoints get their addresses: the private subnet of each zone."""
    security_group_id: pulumi.Input[str]
    """Security group of the endpoints."""
    region: str
    """Region of the services."""
    workers: bool = False
    """Whether there are pools of workers."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class VpcEndpoints(pulumi.ComponentResource):
    """An interface endpoint for each AWS API that nodes call."""

    def __init__(
        self, name: str, args: VpcEndpointsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:VpcEndpoints", name, {}, opts)
        for service in (*SERVICES, *(WORKER_SERVICES if args.workers else ())):
            endpoint_name = f"{name}-{service}"
            aws.ec2.VpcEndpoint(
                endpoint_name,
                vpc_id=args.vpc_id,
                service_name=f"com.amazonaws.{args.region}.{service}",
                vpc_endpoint_type="Interface",
                private_dns_enabled=True,
                subnet_ids=list(args.subnet_ids),
                security_group_ids=[args.security_group_id],
                tags=named(args.tags, endpoint_name),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})
