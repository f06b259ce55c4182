"""Asks the API for the network load balancers."""

from typing import Any

from lab.machines.account import Account, Clients
from lab.machines.balancer.documents import Attributes, GroupDocuments, balancer
from lab.machines.balancer.model import Balancer


def observe(clients: Clients, account: Account) -> tuple[Balancer, ...]:
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
        one["TargetGroupArn"]: _group(elb, one)
        for page in elb.get_paginator("describe_target_groups").paginate()
        for one in page["TargetGroups"]
    }
    interfaces = [
        one
        for page in clients("ec2").get_paginator("describe_network_interfaces").paginate()
        for one in page["NetworkInterfaces"]
    ]
    return tuple(
        balancer(
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


def _group(elb: Any, document: Any) -> GroupDocuments:  # noqa: ANN401 - a client made by name has no type
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
