"""Announcement that this instance is about to end, from the instance's metadata."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from node.errors import NodeError
from node.metadata import if_any


@dataclass(frozen=True)
class Termination:
    """That this instance ends."""

    hooked: bool
    """Whether its Auto Scaling group ends it, and waits for its lifecycle hook."""
    at: datetime | None = None
    """When EC2 takes a Spot Instance back, two minutes from the announcement; it waits for nobody.
    None for any other end."""

    def left(self) -> float | None:
        """Seconds until EC2 takes it back; None where it does not."""
        return None if self.at is None else (self.at - datetime.now(UTC)).total_seconds()


def announced() -> Termination | None:
    """The announcement; None without one. Raises NodeError when nobody can be asked, and as
    `parse`."""
    hooked = if_any("autoscaling/target-lifecycle-state") == "Terminated"
    interruption = if_any("spot/instance-action")
    if interruption is None:
        return Termination(hooked) if hooked else None
    return Termination(hooked, parse(interruption))


def parse(interruption: str) -> datetime:
    """When EC2 acts, by a text such as {"action": "terminate", "time": "2026-11-29T12:00:00Z"}.

    Whether it terminates, stops or hibernates the instance, the pods on it are gone.

    Raises NodeError for any other text.
    """
    try:
        time = datetime.fromisoformat(json.loads(interruption)["time"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NodeError(f"spot/instance-action is damaged: {interruption!r}") from error
    return time if time.tzinfo else time.replace(tzinfo=UTC)
