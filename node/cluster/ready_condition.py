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
    """When a Node that is not ready came to be so: by its condition, or when it was made."""
    conditions = node.get("status", {}).get("conditions", ())
    changed = (one.get("lastTransitionTime") for one in conditions if one["type"] == "Ready")
    return datetime.fromisoformat(next(changed, None) or node["metadata"]["creationTimestamp"])
