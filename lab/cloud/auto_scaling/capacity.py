"""Capacity of a group: where instances are launched, and which go. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from lab.cloud.auto_scaling.group_view import Member


def within(desired: int, minimum: int, maximum: int) -> int:
    """A desired capacity after a change of the bounds (UpdateAutoScalingGroup)."""
    return max(minimum, min(desired, maximum))


def zones_to_launch(zones: Sequence[str], members: Iterable[Member], count: int) -> list[str]:
    """Zones of the next instances: always the one with the fewest, in the order of the subnets."""
    there = Counter(member.zone for member in members)
    chosen = []
    for _ in range(count if zones else 0):
        zone = min(zones, key=lambda one: (there[one], zones.index(one)))
        there[zone] += 1
        chosen.append(zone)
    return chosen


def to_terminate(members: Iterable[Member], count: int, version: str) -> list[Member]:
    """Members that scale-in takes: from the zone with the most, those of another version of the
    launch template first, then the oldest (Auto Scaling guide, "Default termination policy").

    Members that are protected stay, so there may be fewer than asked for.
    """
    left = list(members)
    chosen: list[Member] = []
    while len(chosen) < count:
        candidates = [member for member in left if not member.protected]
        if not candidates:
            break
        there = Counter(member.zone for member in left)
        most = max(there[member.zone] for member in candidates)
        crowded = [member for member in candidates if there[member.zone] == most]
        worst = min(crowded, key=lambda one: (one.version == version, one.launched, one.id))
        left.remove(worst)
        chosen.append(worst)
    return chosen
