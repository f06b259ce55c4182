"""Condition `Ready` of a Node or a pod. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def readiness(document: Mapping[str, Any]) -> str:
    """Its status: `True`, `False` or, where nobody has heard of it lately, `Unknown`; empty when
    there is none yet."""
    conditions = document.get("status", {}).get("conditions", ())
    return next((str(one["status"]) for one in conditions if one["type"] == "Ready"), "")


def ready(document: Mapping[str, Any]) -> bool:
    """Whether a kubelet says that it works, and has said so lately."""
    return readiness(document) == "True"


def not_ready_since(node: Mapping[str, Any]) -> datetime:
    """Since when a Node that is not ready has had the condition that it has, by the clock of who
    said so, or when it was made: not ready it may have been for longer."""
    conditions = node.get("status", {}).get("conditions", ())
    changed = (one.get("lastTransitionTime") for one in conditions if one["type"] == "Ready")
    return datetime.fromisoformat(next(changed, None) or node["metadata"]["creationTimestamp"])
