"""Drains of workers that are silent: nobody is there to do them, and they are over.

A worker without power is given up by its Auto Scaling group, which then waits for the worker's
agent to say that its pods have left (DRAIN_HOOK): for DRAIN_SECONDS, in which its Node stays, and
a StatefulSet's pods cannot move.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from node.cluster.gone_nodes import silent
from node.cluster.ready_condition import readiness
from node.contract import DRAIN_SECONDS


def unheard(nodes: Iterable[Mapping[str, Any]], region: str) -> dict[str, Mapping[str, Any]]:
    """Nodes of pools of which nothing was heard for longer than the grace, by instance.

    Not those that say that they are not ready: their kubelet lives, and their agent drains them.
    """
    return {
        instance: node
        for instance, node in silent(nodes, region).items()
        if readiness(node) == "Unknown"
    }


def hopeless(now: Collection[str], before: Collection[str]) -> list[str]:
    """Those that were unheard the last time, too: a worker may be about to speak again."""
    return sorted(set(now) & set(before))


def lately(deleted: Mapping[str, tuple[str, float]], now: float) -> dict[str, tuple[str, float]]:
    """Those whose drain may still be waited for, of instances whose Node was deleted at a time."""
    return {one: what for one, what in deleted.items() if now - what[1] < DRAIN_SECONDS}
