"""Nodes whose instance is gone for good. Pure.

A Node stays when its machine is terminated, and so do its pods' names: a StatefulSet makes no other
pod until the Node is deleted. Nobody but a cloud's controller can tell a machine that is gone from
one that is only silent, and two of a name may not run.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from node.cluster.ready_condition import ready
from node.cluster.worker_instances import instance_of
from node.contract import POOL_LABEL

GONE = frozenset({"terminated"})
"""States from which no instance comes back. What EC2 does not know is gone, too."""


def silent(nodes: Iterable[Mapping[str, Any]], region: str) -> dict[str, Mapping[str, Any]]:
    """Nodes of pools that are not ready, by the id of their instance.

    One that is ready is never deleted, whatever EC2 says: its kubelet renews its lease.
    """
    found = {}
    for node in nodes:
        instance = instance_of(node["spec"].get("providerID", ""), region)
        if instance and POOL_LABEL in node["metadata"].get("labels", {}) and not ready(node):
            found[instance] = node
    return found


def gone(instances: Iterable[str], states: Mapping[str, str]) -> set[str]:
    """Those of the instances that EC2 calls terminated, or does not know."""
    return {one for one in instances if states.get(one, "terminated") in GONE}


def certain(now: Collection[str], before: Collection[str]) -> set[str]:
    """Those that were gone the last time, too: an answer of EC2 may be older than the last."""
    return set(now) & set(before)
