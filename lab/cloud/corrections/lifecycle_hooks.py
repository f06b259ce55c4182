# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""Lifecycle hooks of Auto Scaling groups.

Stock moto stores hooks with a role and a queue of its own invention (a difference in every plan),
and nothing ever waits for them. Here an instance waits as long as in AWS, while machines run; where
nobody runs machines, none is there to complete an action, and it is completed at once.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup, LifecycleHook
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import EmptyResult

from lab.cloud.auto_scaling.asked import group_of
from lab.cloud.auto_scaling.clock import CLOCK
from lab.cloud.auto_scaling.group_view import (
    ABANDON,
    CONTINUE,
    LAUNCHING_HOOK,
    TERMINATING_HOOK,
    Action,
)
from lab.cloud.auto_scaling.held import Member
from lab.cloud.auto_scaling.reconcile_groups import members
from lab.cloud.corrections.patching import replaces

HEARTBEATS = range(30, 7201)
"""Seconds that a heartbeat timeout may have (Auto Scaling API reference, PutLifecycleHook)."""

DEFAULT_HEARTBEAT = 3600
MOST_HEARTBEATS, MOST_SECONDS = 100, 172_800
"""How long an action may be drawn out: the smaller of the two (the same)."""


def create(group: FakeAutoScalingGroup, hook: Mapping[str, Any]) -> None:
    """Make or change a hook. Raises ValidationError."""
    backend, name = group.autoscaling_backend, str(hook["LifecycleHookName"])
    key = f"{group.name}_{name}"
    before = backend.lifecycle_hooks.get(key)
    transition = hook.get("LifecycleTransition") or (before and before.lifecycle_transition)
    if transition not in {LAUNCHING_HOOK, TERMINATING_HOOK}:
        raise ValidationError(f"Invalid lifecycle transition: {transition}")
    heartbeat = int(
        hook.get("HeartbeatTimeout") or (before.heartbeat_timeout if before else DEFAULT_HEARTBEAT)
    )
    if heartbeat not in HEARTBEATS:
        raise ValidationError(
            f"Heartbeat timeout must be between {HEARTBEATS[0]} and {HEARTBEATS[-1]} seconds"
        )
    default = hook.get("DefaultResult") or (before.default_result if before else ABANDON)
    if default not in {CONTINUE, ABANDON}:
        raise ValidationError(f"Invalid default result: {default}")
    made = LifecycleHook(name, group.name, str(transition), heartbeat, default)
    made.role_arn = hook.get("RoleARN")  # type: ignore[assignment] # none where none was given
    made.notification_target_arn = hook.get("NotificationTargetARN")  # type: ignore[assignment]
    made.notification_metadata = hook.get("NotificationMetadata")  # type: ignore[attr-defined]
    made.global_timeout = min(MOST_HEARTBEATS * heartbeat, MOST_SECONDS)
    backend.lifecycle_hooks[key] = made


@replaces(AutoScalingResponse, "put_lifecycle_hook")
def put_lifecycle_hook(response: AutoScalingResponse) -> EmptyResult:
    """PutLifecycleHook. Raises ValidationError."""
    names = (
        "LifecycleHookName",
        "LifecycleTransition",
        "DefaultResult",
        "RoleARN",
        "NotificationTargetARN",
        "NotificationMetadata",
    )
    hook = {name: response._get_param(name) for name in names}
    create(
        group_of(response),
        {**hook, "HeartbeatTimeout": response._get_int_param("HeartbeatTimeout")},
    )
    return EmptyResult()


@replaces(AutoScalingResponse, "delete_lifecycle_hook")
def delete_lifecycle_hook(response: AutoScalingResponse) -> EmptyResult:
    """DeleteLifecycleHook: what waits for it ends first, launches abandoned, terminations
    continued. Raises ValidationError."""
    group, name = group_of(response), response._get_param("LifecycleHookName")
    hook = response.autoscaling_backend.lifecycle_hooks.pop(f"{group.name}_{name}", None)
    if hook is None:
        raise ValidationError(f"No Lifecycle Hook found with name: {name}")
    result = ABANDON if hook.lifecycle_transition == LAUNCHING_HOOK else CONTINUE
    for member in members(group):
        _complete(member, name, result)
    return EmptyResult()


@replaces(AutoScalingResponse, "complete_lifecycle_action")
def complete_lifecycle_action(response: AutoScalingResponse) -> EmptyResult:
    """CompleteLifecycleAction. Raises ValidationError."""
    result = response._get_param("LifecycleActionResult")
    if result not in {CONTINUE, ABANDON}:
        raise ValidationError(f"Invalid lifecycle action result: {result}")
    member, name = _waiting(response)
    _complete(member, name, result)
    return EmptyResult()


@replaces(AutoScalingResponse, "record_lifecycle_action_heartbeat")
def record_lifecycle_action_heartbeat(response: AutoScalingResponse) -> EmptyResult:
    """RecordLifecycleActionHeartbeat: the action waits for another heartbeat from now on, within
    the limits of all of them. Raises ValidationError."""
    member, name = _waiting(response)
    group = group_of(response)
    hook = response.autoscaling_backend.lifecycle_hooks[f"{group.name}_{name}"]
    due = min(CLOCK.now() + hook.heartbeat_timeout, member.since + hook.global_timeout)
    member.actions = tuple(
        replace(action, due=due) if action.hook == name else action for action in member.actions
    )
    return EmptyResult()


def _waiting(response: AutoScalingResponse) -> tuple[Member, str]:
    """The instance whose action a request means. An action's token is not told to anybody here, as
    nothing is notified: the instance says which it is."""
    instance_id, name = response._get_param("InstanceId"), response._get_param("LifecycleHookName")
    for member in members(group_of(response)):
        if member.instance.id == instance_id and name in {_open(one) for one in member.actions}:
            return member, name
    raise ValidationError(f"No active Lifecycle Action found with instance ID {instance_id}")


def _open(action: Action) -> str | None:
    return action.hook if action.result is None else None


def _complete(member: Member, name: str, result: str) -> None:
    member.actions = tuple(
        replace(action, result=action.result or result) if action.hook == name else action
        for action in member.actions
    )
