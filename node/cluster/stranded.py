"""Drains with nowhere to go: every Node is cordoned, as when a stack is destroyed. Pure.

A disruption budget waits for a replacement elsewhere. Without an elsewhere it would hold up each
worker for as long as its lifecycle hook lasts, and `pulumi destroy` with it. A worker sees no Node
but its own, so it is told on that one, by an annotation.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from node.contract import STRANDED_ANNOTATION

SECONDS = 180.0
"""That all Nodes have been cordoned for: the only worker of a cluster is cordoned while it is
replaced, too, and its successor takes a minute or two to boot and join. It is not waited for where
no pool is to have a machine, as when a stack is destroyed."""


def everywhere(nodes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether no Node takes pods. One that is silent may come back; one that is cordoned is told to
    go."""
    return bool(nodes) and all(node["spec"].get("unschedulable") for node in nodes)


def changes(
    nodes: Sequence[Mapping[str, Any]], seconds: float | None
) -> Iterator[tuple[Mapping[str, Any], str | None]]:
    """Nodes whose annotation changes, with its value; `seconds` is how long all are cordoned, None
    when some are not. Once told, a Node is told until another takes pods."""
    for node in nodes:
        told = STRANDED_ANNOTATION in (node["metadata"].get("annotations") or {})
        if seconds is None and told:
            yield node, None
        elif seconds is not None and seconds >= SECONDS and not told:
            yield node, "true"
