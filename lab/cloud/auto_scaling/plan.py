"""Next steps of a group: those of its members, and those that bring it to its capacity. Pure.

Capacity that is too much is taken from members in service alone: an instance counts against the
desired capacity once it is in service, and scale-in takes it from there (Auto Scaling guide,
"Amazon EC2 Auto Scaling instance lifecycle"). So a launch that waits for a hook ends by the hook.
The guide knows no other way from `Pending:Wait` to `Terminating` than an abandoned launch, and does
not say that there is none; what waits longer here than in AWS hides nothing.

The steps of one plan do not depend on each other; whoever takes them plans again until there are
none.
"""

from lab.cloud.auto_scaling import capacity, member_steps, refresh_plan
from lab.cloud.auto_scaling.group_view import (
    COUNTED,
    EndRefresh,
    Group,
    Launch,
    Member,
    State,
    Step,
    Terminate,
)


def plan(group: Group, now: float) -> list[Step]:
    """What is to be done now."""
    steps = [
        step
        for member in group.members
        if (step := member_steps.next_step(member, group, now)) is not None
    ]
    going = {step.member for step in steps if isinstance(step, Terminate)}
    staying = [m for m in group.members if m.state in COUNTED and m.id not in going]
    wanted = group.desired
    if group.refresh is not None and not {"InstanceRefresh", "Terminate"} & group.suspended:
        decision = refresh_plan.decide(group, group.refresh, now)
        wanted = decision.capacity
        if decision.done:
            steps.append(EndRefresh("Successful", ""))
        elif decision.stuck:
            steps.append(EndRefresh("Failed", "instances did not become healthy"))
        else:
            cause = "an instance was taken out of service in response to an instance refresh"
            steps += [Terminate(one, cause) for one in decision.terminate if one not in going]
            gone = set(decision.terminate)
            staying = [member for member in staying if member.id not in gone]
            if gone:
                return steps
    return steps + _to_capacity(group, staying, wanted, now)


def _to_capacity(group: Group, staying: list[Member], wanted: int, now: float) -> list[Step]:
    missing = wanted - len(staying)
    if missing > 0 and "Launch" not in group.suspended and now >= group.retry_at:
        cause = (
            f"an instance was started in response to a difference between desired and actual "
            f"capacity, increasing the capacity from {len(staying)} to {wanted}"
        )
        zones = capacity.zones_to_launch(group.zones, staying, missing)
        return [Launch(zone, cause) for zone in zones]
    serving = [member for member in staying if member.state is State.IN_SERVICE]
    surplus = len(serving) - wanted
    if surplus > 0 and "Terminate" not in group.suspended:
        cause = (
            f"an instance was taken out of service in response to a difference between desired "
            f"and actual capacity, shrinking the capacity from {len(serving)} to {wanted}"
        )
        chosen = capacity.to_terminate(serving, surplus, group.version)
        return [Terminate(member.id, cause) for member in chosen]
    return []
