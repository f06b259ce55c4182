"""Nodes whose instance is gone for good. Pure.

A Node stays when its machine is terminated, and so do its pods' names: a StatefulSet makes no other
pod until the Node is deleted. Nobody but a cloud's controller can tell a machine that is gone from
one that is only silent, and two of a name may not run.

A Node whose instance is gone and that is ready all the same is somebody else's work: whoever has
the certificate of the instance makes the Node anew and keeps it ready, to be given pods and their
secrets. It is deleted as well, more carefully: a wrong answer would end workers that work.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from node.cluster.ready_condition import ready
from node.cluster.worker_instances import instance_of
from node.contract import POOL_LABEL

GONE = frozenset({"terminated"})
"""States from which no instance comes back. What EC2 does not know is gone, too."""

KNOWN_BY = timedelta(hours=1)
"""Age of a Node whose instance EC2 would know if there were one. DescribeInstances lags behind a
launch by minutes at most, and forgets an instance about an hour after its end (EC2 API reference,
TerminateInstances)."""


def silent(nodes: Iterable[Mapping[str, Any]], region: str) -> dict[str, Mapping[str, Any]]:
    """Nodes of pools that are not ready, by the id of their instance."""
    return of_pools((node for node in nodes if not ready(node)), region)


def awake(nodes: Iterable[Mapping[str, Any]], region: str) -> dict[str, Mapping[str, Any]]:
    """Nodes of pools that are ready, by the id of their instance."""
    return of_pools((node for node in nodes if ready(node)), region)


def gone(instances: Iterable[str], states: Mapping[str, str]) -> set[str]:
    """Those of the instances that EC2 calls terminated, or does not know."""
    return {one for one in instances if states.get(one, "terminated") in GONE}


def posing(
    nodes: Mapping[str, Mapping[str, Any]], states: Mapping[str, str], now: datetime
) -> set[str]:
    """Instances that are gone, of Nodes that are ready, by the id of their instance.

    What EC2 calls terminated is gone. What it does not show counts only when the Node is old
    enough, and when EC2 shows another one that is not gone: an answer without any worker is rather
    wrong than the end of all of them.
    """
    answers = not set(states.values()) <= GONE
    return {
        instance
        for instance in gone(nodes, states)
        if instance in states or (answers and now - _created(nodes[instance]) >= KNOWN_BY)
    }


def certain(now: Collection[str], before: Collection[str]) -> set[str]:
    """Those that were gone the last time, too: an answer of EC2 may be older than the last."""
    return set(now) & set(before)


def of_pools(nodes: Iterable[Mapping[str, Any]], region: str) -> dict[str, Mapping[str, Any]]:
    """Nodes of pools, by the id of their instance."""
    found = {}
    for node in nodes:
        instance = instance_of(node["spec"].get("providerID", ""), region)
        if instance and POOL_LABEL in node["metadata"].get("labels", {}):
            found[instance] = node
    return found


def _created(node: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(node["metadata"]["creationTimestamp"])
