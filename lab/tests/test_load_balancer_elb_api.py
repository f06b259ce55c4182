"""Answers of the ELB API as a load balancer."""

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from lab.machines.account import Account
from lab.machines.load_balancer.elb_api import GroupDocuments, load_balancer
from lab.machines.load_balancer.nlb import HealthCheck, Listener, Target
from lab.tests.load_balancer_samples import ZONES, node

ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/net/api/0a1b"
GROUP_ARN = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/api/2c3d"

DOCUMENT = {
    "LoadBalancerArn": ARN,
    "LoadBalancerName": "api",
    "DNSName": "api-0a1b.elb.eu-central-1.amazonaws.com",
    "VpcId": "vpc-0123456789abcdef0",
    "SecurityGroups": ["sg-2", "sg-1"],
}
GROUP = {
    "TargetGroupName": "api",
    "TargetType": "ip",
    "HealthCheckProtocol": "HTTPS",
    "HealthCheckPort": "traffic-port",
    "HealthCheckPath": "/readyz",
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 4,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 3,
    "Matcher": {"HttpCode": "200"},
}
LISTENER = {
    "Port": 6443,
    "Protocol": "TCP",
    "DefaultActions": [{"Type": "forward", "TargetGroupArn": GROUP_ARN}],
}


def health(target: str, state: str) -> dict:
    return {"Target": {"Id": target, "Port": 6443}, "TargetHealth": {"State": state}}


def interface(index: int, description: str = "ELB net/api/0a1b") -> dict:
    one = node(index)
    return {
        "NetworkInterfaceId": one.id,
        "MacAddress": one.mac,
        "PrivateIpAddress": str(one.address),
        "SubnetId": one.subnet.id,
        "Description": description,
    }


@pytest.fixture
def parse(account):
    subnets = {node(index).subnet.id: node(index).subnet for index in (0, 1)}
    known: Account = replace(account, subnets=subnets)

    def call(
        group=None, attributes=None, healths=(), listeners=None, load_balancer_attributes=None
    ):
        documents = GroupDocuments(GROUP | (group or {}), attributes or {}, healths)
        return load_balancer(
            DOCUMENT,
            load_balancer_attributes or {},
            listeners=listeners or [(LISTENER, {})],
            groups={GROUP_ARN: documents},
            interfaces=[interface(1), interface(0), interface(0, "ELB net/api/other")],
            account=known,
        )

    return call


def test_what_is_declared_is_understood(parse):
    found = parse(
        attributes={
            "deregistration_delay.timeout_seconds": "60",
            "deregistration_delay.connection_termination.enabled": "true",
            "target_health_state.unhealthy.connection_termination.enabled": "false",
            "target_health_state.unhealthy.draining_interval_seconds": "300",
            "preserve_client_ip.enabled": "false",
        },
        listeners=[(LISTENER, {"tcp.idle_timeout.seconds": "900"})],
    )
    assert found.nodes == (node(0), node(1))
    assert found.groups == ("sg-1", "sg-2")
    assert found.listeners == (Listener(6443, "api", 900),)
    group = found.targets["api"]
    assert group.check == HealthCheck(
        "HTTPS", None, "/readyz", "200", interval=5, timeout=4, healthy=2, unhealthy=3
    )
    assert (group.delay, group.terminate_drained) == (60, True)
    assert (group.terminate_unhealthy, group.unhealthy_draining) == (False, 300)
    assert found.differences == ()


def test_defaults_are_those_of_aws(parse):
    found = parse()
    group = found.targets["api"]
    assert found.listeners[0].idle == 350
    assert (group.delay, group.terminate_drained) == (300, False)
    assert (group.terminate_unhealthy, group.unhealthy_draining) == (True, 0)
    assert (group.fewest, group.fewest_in_dns, group.cross_zone) == (1, 1, False)


@pytest.mark.parametrize(
    ("of_load_balancer", "of_group", "crosses"),
    [
        ("true", "use_load_balancer_configuration", True),
        ("false", "use_load_balancer_configuration", False),
        ("true", "false", False),
        ("false", "true", True),
    ],
)
def test_the_group_may_decide_on_zones(parse, of_load_balancer, of_group, crosses):
    name = "load_balancing.cross_zone.enabled"
    found = parse(attributes={name: of_group}, load_balancer_attributes={name: of_load_balancer})
    assert found.targets["api"].cross_zone is crosses


def test_targets_that_drain_are_told_from_those_that_are_registered(parse, instance):
    found = parse(
        healths=[
            health("10.0.0.5", "healthy"),
            health("10.0.32.5", "draining"),
            health(instance.id, "initial"),
            health("i-0000000000000gone", "initial"),
        ]
    ).targets["api"]
    assert found.targets == (
        Target("10.0.0.5", IPv4Address("10.0.0.5"), 6443, ZONES[0]),
        Target(instance.id, instance.address, 6443, None),
    )
    assert found.draining == (Target("10.0.32.5", IPv4Address("10.0.32.5"), 6443, ZONES[1]),)


@pytest.mark.parametrize(
    ("group", "attributes", "said"),
    [
        ({"TargetType": "instance"}, {}, "preserve_client_ip.enabled=true"),
        ({}, {"preserve_client_ip.enabled": "true"}, "the load balancer's address"),
        ({}, {"proxy_protocol_v2.enabled": "true"}, "no PROXY header"),
        ({}, {"stickiness.enabled": "true"}, "do not stick"),
        (
            {},
            {"target_group_health.dns_failover.minimum_healthy_targets.percentage": "50"},
            "counts for nothing",
        ),
    ],
)
def test_what_is_not_done_is_said(parse, group, attributes, said):
    (line,) = parse(group=group, attributes=attributes).differences
    assert said in line


def test_a_listener_that_cannot_answer_is_said(parse):
    found = parse(listeners=[(LISTENER | {"Protocol": "UDP"}, {})])
    assert found.listeners == ()
    assert found.differences == ("its UDP listener on port 6443 does not answer",)
