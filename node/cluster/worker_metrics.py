"""Metrics of workers: for how long one waits for an answer, is not ready, or is missing. Pure.

Each is an age, and of one request, one Node or one group: numbers of workers that are in trouble
would not tell one that stays so from many that are so for minutes, one after the other, as in a
pool that grows and shrinks or whose Spot Instances EC2 takes back.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from node.cluster.approval import by_token, claimed_name, pending
from node.cluster.claims import created
from node.cluster.gone_nodes import of_pools, silent
from node.cluster.ready_condition import not_ready_since
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


class Unready:
    """Nodes of pools that are not ready, as far as this machine has looked."""

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def seconds(
        self,
        groups: Iterable[ScalingGroup],
        nodes: Iterable[Mapping[str, Any]],
        region: str,
        now: datetime,
    ) -> float:
        """For how long a worker in service has not been ready, of the one that has been so longest;
        0 without one.

        Remembered, since a kubelet that starts, says so and is silent again changes its Node's
        condition each time. Who cordoned a Node knows of it: its worker, which is being drained, or
        a person. So does who deleted one whose machine stays.
        """
        found = silent(nodes, region)
        changed = {instance: not_ready_since(node) for instance, node in found.items()}
        self._since = {one: min(when, self._since.get(one, when)) for one, when in changed.items()}
        in_service = frozenset[str]().union(*(group.in_service for group in groups))
        ages = (
            (now - self._since[instance]).total_seconds()
            for instance, node in found.items()
            if instance in in_service and not node["spec"].get("unschedulable")
        )
        return max([0.0, *ages])


class Shortages:
    """Groups that are short of workers, as far as this machine has looked: another one that takes
    the lead begins anew."""

    def __init__(self) -> None:
        self._before: dict[str, ScalingGroup] = {}
        self._since: dict[str, float] = {}

    def seconds(self, groups: Iterable[ScalingGroup], now: float) -> float:
        """For how long a group has been short while no worker came into service, of the one that
        has been so longest; 0 without one. `now` is a time of time.monotonic().

        A machine that was ended or taken back by EC2 is missing until its successor has joined. A
        refresh begins with a machine more, and lacks none.
        """
        since = {}
        for group in groups:
            before = self._before.get(group.name, group)
            came = group.in_service - before.in_service
            if len(group.in_service) < group.desired:
                since[group.name] = now if came else self._since.get(group.name, now)
            self._before[group.name] = group
        self._since = since
        return max((now - when for when in since.values()), default=0.0)
