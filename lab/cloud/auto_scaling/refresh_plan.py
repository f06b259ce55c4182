"""Instance refresh: how far a group may go above and below its desired capacity, and what is
replaced next. Pure.

A member that was launched since is ready once it has been in service for the warm-up. Whatever
leaves is not ready, from the moment that it begins to.
"""

from dataclasses import dataclass
from math import ceil

from lab.cloud.auto_scaling.group_view import LEAVING, Group, Member, Refresh, State

STUCK_SECONDS = 3600.0
"""A refresh in which nothing becomes ready for an hour fails (Auto Scaling guide, "How an instance
refresh works")."""


@dataclass(frozen=True)
class Bounds:
    """How many members a group may have while it is refreshed."""

    least: int
    """Ready ones."""
    most: int
    """In service or starting."""


def bounds(desired: int, minimum: int, maximum: int) -> Bounds:
    """From the percentages. One instance at least can always be replaced: by one more where more
    than the desired capacity is allowed or nothing may be missing, else by one fewer.

    The minimum is rounded up (RefreshPreferences).
    """
    least, most = ceil(desired * minimum / 100), desired * maximum // 100
    if most > least:
        return Bounds(least, most)
    if maximum > 100 or minimum == 100:
        return Bounds(least, least + 1)
    return Bounds(most - 1, most)


def left_to_replace(group: Group, refresh: Refresh) -> list[Member]:
    """Members that the refresh still has to replace."""
    return [
        member
        for member in group.counted()
        if member.id in refresh.to_replace and not member.protected
    ]


def ready(member: Member, refresh: Refresh, now: float) -> bool:
    """Whether a member counts as healthy and warm."""
    if member.state is not State.IN_SERVICE or member.instance != "running":
        return False
    if not member.healthy or member.impaired_since is not None:
        return False
    return member.launched < refresh.began or now >= member.since + refresh.warmup


@dataclass(frozen=True)
class Decision:
    """What a refresh does now."""

    capacity: int
    """Members that there should be, with those that are launched ahead."""
    terminate: tuple[str, ...] = ()
    done: bool = False
    stuck: bool = False


def decide(group: Group, refresh: Refresh, now: float) -> Decision:
    """The next part of a refresh."""
    limits = bounds(group.desired, refresh.minimum, refresh.maximum)
    old = left_to_replace(group, refresh)
    counted = group.counted()
    warm = [member for member in counted if ready(member, refresh, now)]
    if not old:
        finished = len(warm) >= group.desired == len(counted)
        stuck = not finished and now >= refresh.progressed + STUCK_SECONDS
        return Decision(group.desired, done=finished, stuck=stuck)
    missing = max(0, group.desired - (len(counted) - len(old)))
    ahead = min(limits.most, len(counted) + missing)
    spare = max(0, len(warm) - limits.least)
    oldest = sorted(old, key=lambda one: (ready(one, refresh, now), one.launched, one.id))
    # One that is not ready is no loss; of those that are, as many go as nobody misses. One that
    # still starts is in service first, or given up.
    gone = []
    for member in oldest:
        if member.state is not State.IN_SERVICE:
            continue
        if ready(member, refresh, now):
            if spare == 0:
                break
            spare -= 1
        gone.append(member.id)
    stuck = not gone and now >= refresh.progressed + STUCK_SECONDS
    return Decision(max(group.desired, ahead), tuple(gone), stuck=stuck)


def progressed(group: Group, refresh: Refresh) -> float:
    """When it last got on: not by a launch that comes to nothing."""
    came = [member.since for member in group.in_service()]
    left = [m.since for m in group.members if m.state in LEAVING and m.id in refresh.to_replace]
    return max([refresh.progressed, *came, *left])


def percentage(refresh: Refresh, left: int) -> int:
    """How much of it is done."""
    total = len(refresh.to_replace)
    return 100 if total == 0 else (total - left) * 100 // total
