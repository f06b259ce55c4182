"""Metrics of workers: requests that nobody decides about, and machines that carry no pods. Pure.

Each machine that a pool is to have is in service and ready, in service and not ready, or not in
service yet or any more. What is done on purpose is in none of the last two for long: a refresh
begins with a machine more, a drain cordons first, and what is ended or taken back by EC2 is out of
service until its successor has joined.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from node.cluster.approval import by_token, claimed_name, pending
from node.cluster.claims import created
from node.cluster.gone_nodes import awake, of_pools, silent
from node.cluster.scaling_groups import ScalingGroup


def undecided_seconds(
    requests: Iterable[Mapping[str, Any]],
    nodes: Iterable[Mapping[str, Any]],
    region: str,
    now: datetime,
) -> float:
    """Age of the oldest certificate request of a worker that nobody has decided about; 0 without
    one.

    A worker is who has a Node of a pool, or asks by a join token. What kubelets of a person's own
    machines ask for is that person's to decide, and what a worker asked for before it ended is
    nobody's: it stays there for a day (kube-controller-manager, csrcleaner).
    """
    names = {node["metadata"]["name"] for node in of_pools(nodes, region).values()}
    ages = (
        (now - created(one)).total_seconds()
        for one in requests
        if pending(one) and (by_token(one["spec"]) or claimed_name(one) in names)
    )
    # The API server that wrote the time may have a clock that is a little ahead of this one.
    return max([0.0, *ages])


def not_ready(
    groups: Iterable[ScalingGroup], nodes: Collection[Mapping[str, Any]], region: str
) -> int:
    """Instances in service without a Node that is ready or cordoned.

    Who cordoned a Node knows of it: its worker, which is being drained, or a person.
    """
    fine = awake(nodes, region).keys() | {
        instance
        for instance, node in silent(nodes, region).items()
        if node["spec"].get("unschedulable")
    }
    return sum(len(group.in_service - fine) for group in groups)


def missing(groups: Iterable[ScalingGroup]) -> int:
    """Instances that the groups are to have and that are not in service.

    Each group for itself: while a refresh or a zone has one more than it is to have, another lacks
    one all the same.
    """
    return sum(max(0, group.desired - len(group.in_service)) for group in groups)
