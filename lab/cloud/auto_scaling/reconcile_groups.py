"""Groups brought to what they should be: look, plan, act, until nothing is left to do."""

import sys
from dataclasses import replace

from moto.autoscaling.models import (
    AutoScalingBackend,
    FakeAutoScalingGroup,
    InstanceState,
    autoscaling_backends,
)
from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.subnets import Subnet

from lab.cloud.auto_scaling import group_view as view
from lab.cloud.auto_scaling import launching, refresh_plan
from lab.cloud.auto_scaling.clock import CLOCK
from lab.cloud.auto_scaling.held import Activity, Member, held
from lab.cloud.auto_scaling.plan import plan
from lab.cloud.change_counter import COUNTER
from lab.cloud.corrections.life_cycle import MACHINES
from lab.cloud.corrections.patching import LAUNCH_LOCK
from lab.cloud.requests import ACCOUNT

RETRY_SECONDS = 15.0
"""Between a launch that failed and the next; AWS waits longer every time."""

MOST_ROUNDS = 1000
"""Plans in one go; a group that still has steps then goes on at the next tick."""


def reconcile_all() -> None:
    """Every group of every region; what fails is logged and tried again."""
    for backend in list(autoscaling_backends[ACCOUNT].values()):
        try:
            reconcile_backend(backend)
        except Exception as error:  # one group must not stop the clock of the others
            print(f"auto scaling: {error!r}: trying again", file=sys.stderr, flush=True)


def reconcile_backend(backend: AutoScalingBackend) -> None:
    """Every group of a region."""
    with LAUNCH_LOCK:
        for group in list(backend.autoscaling_groups.values()):
            reconcile(group)


def reconcile(group: FakeAutoScalingGroup) -> None:
    """One group. Whoever watches the account is told."""
    acted = False
    for _ in range(MOST_ROUNDS):
        steps = plan(observe(group), CLOCK.now())
        if not steps:
            break
        acted = True
        for step in steps:
            _take(group, step)
    _watch_refresh(group)
    if held(group).deleting and not group.instance_states:
        remove(group)
    if acted:
        COUNTER.increase()


def remove(group: FakeAutoScalingGroup) -> None:
    """Drop a group without instances, with its hooks."""
    backend = group.autoscaling_backend
    backend.autoscaling_groups.pop(group.name, None)
    for key, hook in list(backend.lifecycle_hooks.items()):
        if hook.auto_scaling_group_name == group.name:
            del backend.lifecycle_hooks[key]


def observe(group: FakeAutoScalingGroup) -> view.Group:
    """A group as it is."""
    now, state = CLOCK.now(), held(group)
    group.instance_states = [_member(group, one, now) for one in group.instance_states]
    hooks = group.autoscaling_backend.describe_lifecycle_hooks(group.name)
    try:
        version = str(launching.version_of(group).number)
    except EC2ClientError:
        version = ""  # the launch itself says what is wrong
    record = state.refresh
    return view.Group(
        desired=int(group.desired_capacity or 0),
        zones=tuple(dict.fromkeys(subnet.availability_zone for subnet in subnets(group))),
        version=version,
        members=tuple(_seen(one, now) for one in members(group)),
        hooks=tuple(
            view.Hook(
                str(hook.name),
                str(hook.lifecycle_transition),
                float(hook.heartbeat_timeout),
                hook.default_result,
            )
            for hook in hooks
        ),
        grace=float(group.health_check_grace_period or 0),
        refresh=record.plan if record else None,
        suspended=frozenset(one["ProcessName"] for one in group.suspended_processes),
        retry_at=state.retry_at,
    )


def members(group: FakeAutoScalingGroup) -> list[Member]:
    """Instances of a group."""
    return [one for one in group.instance_states if isinstance(one, Member)]


def subnets(group: FakeAutoScalingGroup) -> list[Subnet]:
    """Subnets of a group that are still there, in its order."""
    ids = group.vpc_zone_identifier.split(",") if group.vpc_zone_identifier else []
    there = {
        subnet.id: subnet
        for zone in list(group.ec2_backend.subnets.values())
        for subnet in list(zone.values())
    }
    return [there[one.strip()] for one in ids if one.strip() in there]


def _member(group: FakeAutoScalingGroup, one: InstanceState, now: float) -> Member:
    """Somebody's instance that was attached to the group becomes a member."""
    if isinstance(one, Member):
        return one
    member = Member(one.instance, group, dict(one.launch_template or {}), now)
    member.move(view.State.IN_SERVICE, (), now)
    return member


def _seen(member: Member, now: float) -> view.Member:
    instance = member.instance
    impaired = MACHINES.attached and MACHINES.reachable.get(instance.id) is False
    if not impaired or instance.state != "running":
        member.impaired_since = None
    elif member.impaired_since is None:
        member.impaired_since = now
    return view.Member(
        id=instance.id,
        zone=str(member.availability_zone),
        state=view.State(member.lifecycle_state),
        since=member.since,
        launched=member.launched,
        instance=instance.state,
        version=str(member.launch_template.get("Version", "")),
        healthy=member.health_status == "Healthy",
        impaired_since=member.impaired_since,
        protected=bool(member.protected_from_scale_in),
        actions=member.actions,
    )


def _take(group: FakeAutoScalingGroup, step: view.Step) -> None:
    now = CLOCK.now()
    if isinstance(step, view.Launch):
        _launch(group, step, now)
        return
    if isinstance(step, view.EndRefresh):
        _end_refresh(group, step)
        return
    member = next(one for one in members(group) if one.instance.id == step.member)
    match step:
        case view.Terminate(cause=cause, unhealthy=unhealthy, abandoned=abandoned):
            if unhealthy:
                member.health_status = "Unhealthy"
            if abandoned:
                member.abandon(abandoned)
            begin_to_terminate(group, member, cause)
        case view.Move(state=state, actions=actions):
            if not MACHINES.attached:
                # No machine is there that could complete an action.
                actions = tuple(replace(action, result=view.CONTINUE) for action in actions)
            member.move(state, actions, now)
        case view.EndInstance():
            # Termination protection is for people: a group terminates all the same (EC2 guide).
            member.instance.terminate()
        case view.Forget():
            group.instance_states.remove(member)


def _end_refresh(group: FakeAutoScalingGroup, step: view.EndRefresh) -> None:
    record = held(group).refresh
    if record is None:
        return
    record.end(step.status, step.reason or None)
    if step.status == "Successful":
        record.percentage_complete, record.instances_to_update = 100, 0


def begin_to_terminate(group: FakeAutoScalingGroup, member: Member, cause: str) -> Activity:
    """Bring a member on its way out."""
    member.move(view.State.TERMINATING, (), CLOCK.now())
    activity = Activity(
        group.name, f"Terminating EC2 instance: {member.instance.id}", "", "Successful"
    )
    activity.cause = f"At {activity.start_time:%Y-%m-%dT%H:%M:%SZ} {cause}."
    held(group).activities.append(activity)
    return activity


def _launch(group: FakeAutoScalingGroup, step: view.Launch, now: float) -> None:
    state = held(group)
    if now < state.retry_at:
        return  # the launch before, of the same plan, failed
    activity = Activity(group.name, "Launching a new EC2 instance", "", "Successful")
    activity.cause = f"At {activity.start_time:%Y-%m-%dT%H:%M:%SZ} {step.cause}."
    state.activities.append(activity)
    try:
        version = launching.version_of(group)
        there = [one.instance.lifecycle == "spot" for one in members(group)]
        subnet = next(one for one in subnets(group) if one.availability_zone == step.zone)
        spot = launching.wants_spot(group, version.data, there.count(False), there.count(True))
        instance = launching.launch(launching.Order(group, version, subnet, spot))
    except ServiceException as error:
        activity.status_code = "Failed"
        activity.status_message = f"{error.message}. Launching EC2 instance failed."
        state.retry_at = now + RETRY_SECONDS
        return
    activity.description = f"Launching a new EC2 instance: {instance.id}"
    template = {
        "LaunchTemplateId": version.template.id,
        "LaunchTemplateName": version.template.name,
        "Version": str(version.number),
    }
    group.instance_states.append(Member(instance, group, template, now, activity))


def _watch_refresh(group: FakeAutoScalingGroup) -> None:
    cancelled = held(group).cancelling
    moving = view.STARTING | view.LEAVING
    if cancelled and not any(one.lifecycle_state in moving for one in members(group)):
        cancelled.end("Cancelled", "Cancelled by user")
    record = held(group).refresh
    if record is None:
        return
    seen = observe(group)
    left = len(refresh_plan.left_to_replace(seen, record.plan))
    record.status, record.instances_to_update = "InProgress", left
    record.percentage_complete = refresh_plan.percentage(record.plan, left)
    record.plan = replace(record.plan, progressed=refresh_plan.progressed(seen, record.plan))
