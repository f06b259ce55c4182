"""Load balancers as the ELB API has them: what is asked, and what the answers mean."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Any

from lab.machines.account import Account, Clients, Subnet
from lab.machines.load_balancer.nlb import (
    HealthCheck,
    Listener,
    LoadBalancer,
    Node,
    Target,
    TargetGroup,
)

Document = Mapping[str, Any]
Attributes = Mapping[str, str]

DEFAULTS: Attributes = {
    "deregistration_delay.timeout_seconds": "300",
    "deregistration_delay.connection_termination.enabled": "false",
    "target_health_state.unhealthy.connection_termination.enabled": "true",
    "target_health_state.unhealthy.draining_interval_seconds": "0",
    "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    "target_group_health.dns_failover.minimum_healthy_targets.count": "1",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
}
"""Attributes of a target group that nobody set (ELB API reference, TargetGroupAttribute)."""
CROSS_ZONE = "load_balancing.cross_zone.enabled"
IDLE = 350
"""Seconds (network load balancer guide, "Connection idle timeout")."""

UNLIKE_AWS: Mapping[str, str] = {
    "preserve_client_ip.enabled": "targets see the load balancer's address, not the client's",
    "proxy_protocol_v2.enabled": "no PROXY header is sent",
    "stickiness.enabled": "clients do not stick to a target",
}
"""Attributes that do nothing here when they are on."""


@dataclass(frozen=True)
class GroupDocuments:
    """What the API says of a target group."""

    group: Document
    attributes: Attributes
    health: Iterable[Document]
    """The answer to DescribeTargetHealth: the only one that lists targets."""


def load_balancer(
    document: Document,
    attributes: Attributes,
    *,
    listeners: Iterable[tuple[Document, Attributes]],
    groups: Mapping[str, GroupDocuments],
    interfaces: Iterable[Document],
    account: Account,
) -> LoadBalancer:
    """A load balancer; `groups` are by ARN, `interfaces` all of the account."""
    cross_zone = attributes.get(CROSS_ZONE, "false") == "true"
    known = [(one, _group_arn(one), extra) for one, extra in listeners]
    used = {
        arn: _group(groups[arn], account, cross_zone=cross_zone)
        for _, arn, _ in known
        if arn in groups
    }
    return LoadBalancer(
        arn=document["LoadBalancerArn"],
        name=document["LoadBalancerName"],
        dns_name=document["DNSName"],
        vpc=document["VpcId"],
        groups=tuple(sorted(document.get("SecurityGroups") or ())),
        nodes=tuple(_nodes(document["LoadBalancerArn"], interfaces, account.subnets)),
        listeners=tuple(
            Listener(
                int(one["Port"]),
                used[arn].name,
                int(extra.get("tcp.idle_timeout.seconds", IDLE)),
            )
            for one, arn, extra in sorted(known, key=lambda listener: int(listener[0]["Port"]))
            if arn in used and one["Protocol"] == "TCP"
        ),
        targets={group.name: group for group in used.values()},
        differences=tuple(_differences(known, groups)),
    )


def _group_arn(listener: Document) -> str:
    return str(listener["DefaultActions"][0].get("TargetGroupArn"))


def _nodes(
    arn: str, interfaces: Iterable[Document], subnets: Mapping[str, Subnet]
) -> Iterable[Node]:
    # AWS describes its interfaces so; nothing else ties them to their load balancer.
    description = f"ELB {arn.partition(':loadbalancer/')[2]}"
    for one in sorted(interfaces, key=lambda one: str(one["SubnetId"])):
        if one.get("Description") == description and one["SubnetId"] in subnets:
            address = IPv4Address(one["PrivateIpAddress"])
            yield Node(
                one["NetworkInterfaceId"], one["MacAddress"], address, subnets[one["SubnetId"]]
            )


def _group(documents: GroupDocuments, account: Account, *, cross_zone: bool) -> TargetGroup:
    group, attributes = documents.group, {**DEFAULTS, **documents.attributes}
    port = group["HealthCheckPort"]
    targets = [
        (one["TargetHealth"]["State"] == "draining", target)
        for one in documents.health
        if (target := _target(one["Target"], account)) is not None
    ]
    minimum = "target_group_health.{}.minimum_healthy_targets.count"
    unhealthy = "target_health_state.unhealthy."
    declared = attributes[CROSS_ZONE]
    return TargetGroup(
        name=group["TargetGroupName"],
        check=HealthCheck(
            protocol=group["HealthCheckProtocol"],
            port=None if port == "traffic-port" else int(port),
            path=group.get("HealthCheckPath") or "/",
            matcher=group.get("Matcher", {}).get("HttpCode") or "200-399",
            interval=int(group["HealthCheckIntervalSeconds"]),
            timeout=int(group["HealthCheckTimeoutSeconds"]),
            healthy=int(group["HealthyThresholdCount"]),
            unhealthy=int(group["UnhealthyThresholdCount"]),
        ),
        targets=tuple(target for drains, target in targets if not drains),
        draining=tuple(target for drains, target in targets if drains),
        delay=int(attributes["deregistration_delay.timeout_seconds"]),
        terminate_drained=_on(attributes, "deregistration_delay.connection_termination.enabled"),
        terminate_unhealthy=_on(attributes, f"{unhealthy}connection_termination.enabled"),
        unhealthy_draining=int(attributes[f"{unhealthy}draining_interval_seconds"]),
        cross_zone=cross_zone if declared not in {"true", "false"} else declared == "true",
        fewest=_count(attributes[minimum.format("unhealthy_state_routing")]),
        fewest_in_dns=_count(attributes[minimum.format("dns_failover")]),
    )


def _target(document: Document, account: Account) -> Target | None:
    """A target; None for an instance that is gone."""
    instance = account.instances.get(document["Id"])
    if document["Id"].startswith("i-"):
        if instance is None:
            return None
        address = instance.address
    else:
        address = IPv4Address(document["Id"])
    zones = (s.zone for s in account.subnets.values() if address in s.cidr)
    return Target(document["Id"], address, int(document["Port"]), next(zones, None))


def _count(text: str) -> int:
    return 1 if text == "off" else int(text)


def _on(attributes: Attributes, name: str) -> bool:
    return attributes.get(name) == "true"


def _differences(
    listeners: Iterable[tuple[Document, str, Attributes]], groups: Mapping[str, GroupDocuments]
) -> Iterable[str]:
    for listener, arn, _ in listeners:
        if listener["Protocol"] != "TCP":
            yield f"its {listener['Protocol']} listener on port {listener['Port']} does not answer"
        if arn not in groups:
            yield f"its listener on port {listener['Port']} does not forward to a target group"
            continue
        group = groups[arn]
        # Targets by instance see the client's address unless somebody says otherwise.
        by_instance = str(group.group.get("TargetType") == "instance").lower()
        attributes = {"preserve_client_ip.enabled": by_instance, **group.attributes}
        for name, what in UNLIKE_AWS.items():
            if _on(attributes, name):
                yield f"{group.group['TargetGroupName']} has {name}=true, but {what}"
        for name, value in sorted(attributes.items()):
            if name.endswith("minimum_healthy_targets.percentage") and value != "off":
                yield f"{group.group['TargetGroupName']} has {name}, which counts for nothing"


def observe(clients: Clients, account: Account) -> tuple[LoadBalancer, ...]:
    """Every network load balancer; raises botocore's errors when the account does not answer."""
    elb = clients("elbv2")
    documents = [
        one
        for page in elb.get_paginator("describe_load_balancers").paginate()
        for one in page["LoadBalancers"]
        if one["Type"] == "network"
    ]
    if not documents:
        return ()
    groups = {
        one["TargetGroupArn"]: _group_documents(elb, one)
        for page in elb.get_paginator("describe_target_groups").paginate()
        for one in page["TargetGroups"]
    }
    interfaces = [
        one
        for page in clients("ec2").get_paginator("describe_network_interfaces").paginate()
        for one in page["NetworkInterfaces"]
    ]
    return tuple(
        load_balancer(
            one,
            _attributes(
                elb.describe_load_balancer_attributes(LoadBalancerArn=one["LoadBalancerArn"])
            ),
            listeners=_listeners(elb, one["LoadBalancerArn"]),
            groups=groups,
            interfaces=interfaces,
            account=account,
        )
        for one in documents
    )


def _group_documents(elb: Any, document: Any) -> GroupDocuments:  # noqa: ANN401 - a client made by name has no type
    arn = document["TargetGroupArn"]
    return GroupDocuments(
        document,
        _attributes(elb.describe_target_group_attributes(TargetGroupArn=arn)),
        elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"],
    )


def _listeners(elb: Any, arn: str) -> list[tuple[Any, Attributes]]:  # noqa: ANN401 - as above
    return [
        (one, _attributes(elb.describe_listener_attributes(ListenerArn=one["ListenerArn"])))
        for page in elb.get_paginator("describe_listeners").paginate(LoadBalancerArn=arn)
        for one in page["Listeners"]
    ]


def _attributes(answer: Any) -> Attributes:  # noqa: ANN401 - JSON
    return {one["Key"]: one["Value"] for one in answer["Attributes"]}
