"""A load balancer for tests: two nodes, a target group, and what changes it."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from lab.machines.account import Subnet
from lab.machines.load_balancer.nlb import (
    HealthCheck,
    Listener,
    LoadBalancer,
    Node,
    Target,
    TargetGroup,
)

VPC = "vpc-0123456789abcdef0"
ZONES = ("eu-central-1a", "eu-central-1b")


def node(index: int) -> Node:
    cidr = IPv4Network(f"10.0.{32 * index}.0/24")
    subnet = Subnet(f"subnet-0000000000000000{index}", VPC, ZONES[index], cidr)
    return Node(f"eni-0123456789abcdef{index}", f"02:00:00:00:00:0{index}", cidr[9], subnet)


def target(address: str, zone: str | None = ZONES[0], port: int = 6443) -> Target:
    return Target(address, IPv4Address(address), port, zone)


ONE, OTHER = target("10.0.0.5"), target("10.0.32.5", ZONES[1])

CHECK = HealthCheck("HTTPS", None, "/readyz", "200", interval=5, timeout=4, healthy=2, unhealthy=3)

GROUP = TargetGroup(
    name="api",
    check=CHECK,
    targets=(ONE, OTHER),
    draining=(),
    delay=60,
    terminate_drained=False,
    terminate_unhealthy=False,
    unhealthy_draining=300,
    cross_zone=True,
    fewest=1,
    fewest_in_dns=1,
)


def load_balancer(**group) -> LoadBalancer:
    return LoadBalancer(
        arn="arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/api/0a1b",
        name="api",
        dns_name="api-0a1b.elb.eu-central-1.amazonaws.com",
        vpc=VPC,
        groups=("sg-balancer",),
        nodes=(node(0), node(1)),
        listeners=(Listener(6443, "api", 350),),
        targets={"api": replace(GROUP, **group)},
    )
