"""Next step of one member: launch, hooks, health, termination. Pure."""

from lab.cloud.auto_scaling.group_view import (
    ABANDON,
    LAUNCHING_HOOK,
    LEAVING,
    STARTING,
    TERMINATING_HOOK,
    Action,
    EndInstance,
    Forget,
    Group,
    Member,
    Move,
    State,
    Step,
    Terminate,
)

IMPAIRED_SECONDS = 180.0
"""How long a failed status check is waited for before the instance is replaced: the guide says "a
few minutes" (Auto Scaling guide, "About the health checks for your Auto Scaling group")."""

ALIVE = frozenset({"pending", "running"})
ENDED = frozenset({"shutting-down", "terminated"})
"""States of instances whose termination has begun."""


def unhealthy(member: Member, grace: float, now: float) -> str | None:
    """Why a member has to be replaced; None when it has not.

    An instance that does not run is replaced at once; what status checks say counts after the
    grace period.
    """
    if member.instance not in ALIVE:
        return "in response to an EC2 health check indicating it has been terminated or stopped"
    if not member.healthy:
        return "in response to a user health-check"
    started = member.since if member.state is State.IN_SERVICE else now
    if member.impaired_since is None or now < started + grace:
        return None
    if now < member.impaired_since + IMPAIRED_SECONDS:
        return None
    return "in response to an EC2 instance status checks failure"


def next_step(member: Member, group: Group, now: float) -> Step | None:
    """What happens to a member now; None when it waits or is as it should be."""
    if member.state in LEAVING:
        return _leave(member, group, now)
    if member.state is State.STANDBY:
        return None
    reason = None
    if not {"HealthCheck", "ReplaceUnhealthy"} & group.suspended:
        reason = unhealthy(member, group.grace, now)
    if reason is not None and "Terminate" not in group.suspended:
        return Terminate(
            member.id, f"an instance was taken out of service {reason}", unhealthy=True
        )
    if member.state in STARTING:
        return _start(member, group, now)
    return None


def _start(member: Member, group: Group, now: float) -> Step | None:
    if member.state is State.PENDING:
        if member.instance != "running":
            return None
        actions = _actions(group, LAUNCHING_HOOK, now)
        return Move(member.id, State.PENDING_WAIT if actions else State.IN_SERVICE, actions)
    if member.state is State.PENDING_WAIT:
        results = _results(member, now)
        if ABANDON in results:
            told = any(action.result == ABANDON for action in member.actions)
            why = "Lifecycle Action Completed with ABANDON Result" if told else "Heartbeat Timeout"
            return Terminate(member.id, "a lifecycle hook abandoned the launch", abandoned=why)
        if None in results:
            return None
        return Move(member.id, State.PENDING_PROCEED)
    return Move(member.id, State.IN_SERVICE)


def _leave(member: Member, group: Group, now: float) -> Step | None:
    if member.state is State.TERMINATING:
        actions = _actions(group, TERMINATING_HOOK, now)
        proceed = State.TERMINATING_WAIT if actions else State.TERMINATING_PROCEED
        return Move(member.id, proceed, actions)
    if member.state is State.TERMINATING_WAIT:
        results = _results(member, now)
        # An abandoned termination goes on; only the other hooks are not waited for.
        if ABANDON in results or None not in results:
            return Move(member.id, State.TERMINATING_PROCEED)
        return None
    if member.instance == "terminated":
        return Forget(member.id)
    return None if member.instance in ENDED else EndInstance(member.id)


def _actions(group: Group, transition: str, now: float) -> tuple[Action, ...]:
    return tuple(
        Action(hook.name, now + hook.heartbeat, hook.default)
        for hook in group.hooks
        if hook.transition == transition
    )


def _results(member: Member, now: float) -> list[str | None]:
    return [
        action.result or (action.default if now >= action.due else None)
        for action in member.actions
    ]
