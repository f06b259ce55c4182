"""ApiLoadBalancer: the network load balancer that kubelets and people talk to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.tags import named
from node.contract import API_PORT

HEALTH_CHECK_SECONDS = 5
HEALTH_CHECK_TIMEOUT_SECONDS = 4
"""Shorter than the interval, as AWS demands; the default of 10 s is not."""
HEALTH_CHECK_THRESHOLD = 2
DEREGISTRATION_SECONDS = 60
"""What an in-flight request may take: kube-apiserver's own request timeout."""
UNHEALTHY_DRAINING_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class ApiLoadBalancerArgs:
    """What an ApiLoadBalancer is built from."""

    vpc_id: pulumi.Input[str]
    """The VPC."""
    subnet_ids: Sequence[pulumi.Input[str]]
    """One subnet in each zone: private ones for an internal load balancer, else public ones."""
    security_group_id: pulumi.Input[str]
    """Security group; a load balancer made without one can never get one."""
    internal: bool = True
    """Private addresses only."""
    protect: bool = True
    """Refuse to delete the load balancer: its DNS name is in every certificate and kubeconfig."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource."""


class ApiLoadBalancer(pulumi.ComponentResource):
    """A network load balancer, its target group, and the listener between them."""

    dns_name: pulumi.Output[str]
    """DNS name of the load balancer."""
    url: pulumi.Output[str]
    """URL of the Kubernetes API."""
    target_group_arn: pulumi.Output[str]
    """Where API servers register."""
    load_balancer_dimension: pulumi.Output[str]
    """The load balancer as CloudWatch names it."""
    target_group_dimension: pulumi.Output[str]
    """The target group as CloudWatch names it."""

    def __init__(
        self, name: str, args: ApiLoadBalancerArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("hak8s:index:ApiLoadBalancer", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        tags = named(args.tags, name)
        balancer = aws.lb.LoadBalancer(
            name,
            load_balancer_type="network",
            internal=args.internal,
            subnets=list(args.subnet_ids),
            security_groups=[args.security_group_id],
            # With one target in each zone, a zone's address would die with its only target.
            enable_cross_zone_load_balancing=True,
            enable_deletion_protection=args.protect,
            tags=tags,
            # AWS lets a target group serve one load balancer only, so the successor can have it
            # once this one is gone. Its name is another one either way.
            opts=pulumi.ResourceOptions(parent=self, delete_before_replace=True),
        )
        targets = aws.lb.TargetGroup(
            name,
            vpc_id=args.vpc_id,
            port=API_PORT,
            protocol="TCP",
            # Targets by address, without the client's: a target that calls the load balancer and is
            # sent back to itself would otherwise see its own address and drop the connection.
            target_type="ip",
            preserve_client_ip="false",
            deregistration_delay=DEREGISTRATION_SECONDS,
            health_check=aws.lb.TargetGroupHealthCheckArgs(
                protocol="HTTPS",
                path="/readyz",
                matcher="200",
                interval=HEALTH_CHECK_SECONDS,
                timeout=HEALTH_CHECK_TIMEOUT_SECONDS,
                healthy_threshold=HEALTH_CHECK_THRESHOLD,
                unhealthy_threshold=HEALTH_CHECK_THRESHOLD,
            ),
            # AWS resets every connection of a target that turns unhealthy, which an API server
            # does on purpose while it drains.
            target_health_states=[
                aws.lb.TargetGroupTargetHealthStateArgs(
                    enable_unhealthy_connection_termination=False,
                    unhealthy_draining_interval=UNHEALTHY_DRAINING_SECONDS,
                )
            ],
            tags=tags,
            opts=child,
        )
        listener = aws.lb.Listener(
            name,
            load_balancer_arn=balancer.arn,
            port=API_PORT,
            protocol="TCP",
            default_actions=[
                aws.lb.ListenerDefaultActionArgs(type="forward", target_group_arn=targets.arn)
            ],
            tags=tags,
            opts=child,
        )
        self.dns_name = balancer.dns_name
        self.url = pulumi.Output.concat("https://", balancer.dns_name, f":{API_PORT}")
        # A target group without a listener never checks its targets, so nobody may wait for one.
        self.target_group_arn = pulumi.Output.all(targets.arn, listener.arn).apply(
            lambda arns: str(arns[0])
        )
        self.load_balancer_dimension = balancer.arn_suffix
        self.target_group_dimension = targets.arn_suffix
        self.register_outputs({"dnsName": self.dns_name, "url": self.url})
