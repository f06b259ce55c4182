"""Status of every node, whatever its tier: its machine and its time."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from node.errors import NodeError
from node.metadata import metadata


def stamped(state: Mapping[str, Any]) -> dict[str, Any]:
    """A state with the machine that is in it, and this node's time."""
    try:
        instance = metadata("instance-id")
    except NodeError:
        instance = None
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return {"instanceId": instance, "time": now, **state}
