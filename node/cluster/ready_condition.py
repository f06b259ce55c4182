"""Condition `Ready` of a Node or a pod. Pure."""

from collections.abc import Mapping
from typing import Any


def readiness(document: Mapping[str, Any]) -> str:
    """Its status: `True`, `False` or, where nobody has heard of it lately, `Unknown`; empty when
    there is none yet."""
    conditions = document.get("status", {}).get("conditions", ())
    return next((str(one["status"]) for one in conditions if one["type"] == "Ready"), "")


def ready(document: Mapping[str, Any]) -> bool:
    """Whether a kubelet says that it works, and has said so lately."""
    return readiness(document) == "True"
