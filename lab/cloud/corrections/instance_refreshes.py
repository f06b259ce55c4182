# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""Instance refreshes of Auto Scaling groups, which stock moto answers with 500."""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.responses import ActionResult

from lab.cloud.auto_scaling import reconcile_groups
from lab.cloud.auto_scaling.asked import group_of
from lab.cloud.auto_scaling.clock import CLOCK
from lab.cloud.auto_scaling.group_view import COUNTED, Refresh
from lab.cloud.auto_scaling.held import CANCELLING, RefreshRecord, held
from lab.cloud.corrections.patching import replaces

MINIMUM, MAXIMUM = 90, 100
"""Healthy percentages where none are given (Auto Scaling API reference, RefreshPreferences)."""

WIDEST = 100
"""Most percent between them (the same)."""


@replaces(AutoScalingResponse, "start_instance_refresh")
def start_instance_refresh(response: AutoScalingResponse) -> ActionResult:
    """StartInstanceRefresh. Raises InstanceRefreshInProgress, ValidationError."""
    group = group_of(response)
    if response._get_param("Strategy", "Rolling") != "Rolling":
        raise ValidationError("Only the strategy Rolling is known here.")
    if held(group).refresh or held(group).cancelling:
        raise AutoscalingClientError(
            "InstanceRefreshInProgress",
            "An Instance Refresh is already in progress and blocks the execution of this Instance "
            "Refresh.",
        )
    preferences: dict[str, Any] = response._get_param("Preferences") or {}
    record = RefreshRecord(group.name, _plan(group, preferences))
    record.instances_to_update = len(record.plan.to_replace)
    held(group).refreshes.insert(0, record)
    return ActionResult({"InstanceRefreshId": record.instance_refresh_id})


def _plan(group: FakeAutoScalingGroup, preferences: dict[str, Any]) -> Refresh:
    minimum = int(_first(preferences.get("MinHealthyPercentage"), MINIMUM))
    maximum = int(_first(preferences.get("MaxHealthyPercentage"), MAXIMUM))
    if not 0 <= minimum <= 100 <= maximum <= 200 or maximum - minimum > WIDEST:
        raise ValidationError(
            "MinHealthyPercentage must be 0 to 100 and MaxHealthyPercentage 100 to 200, with at "
            f"most {WIDEST} between them"
        )
    warmup = _first(
        preferences.get("InstanceWarmup"),
        getattr(group, "default_instance_warmup", None),
        group.health_check_grace_period,
        0,
    )
    view = reconcile_groups.observe(group)
    skip = bool(preferences.get("SkipMatching"))
    return Refresh(
        to_replace=frozenset(
            member.id
            for member in view.members
            if member.state in COUNTED and not (skip and member.version == view.version)
        ),
        minimum=minimum,
        maximum=maximum,
        warmup=float(warmup),
        began=CLOCK.now(),
        progressed=CLOCK.now(),
    )


def _first(*values: Any) -> Any:  # noqa: ANN401 - parameters have no types
    return next(value for value in values if value is not None)


@replaces(AutoScalingResponse, "describe_instance_refreshes")
def describe_instance_refreshes(response: AutoScalingResponse) -> ActionResult:
    """DescribeInstanceRefreshes, the last one first. Raises ValidationError."""
    ids = response._get_param("InstanceRefreshIds", [])
    found = [
        one
        for one in held(group_of(response)).refreshes
        if not ids or one.instance_refresh_id in ids
    ]
    return ActionResult({"InstanceRefreshes": found})


@replaces(AutoScalingResponse, "cancel_instance_refresh")
def cancel_instance_refresh(response: AutoScalingResponse) -> ActionResult:
    """CancelInstanceRefresh; what is launched or terminated already goes on, and is waited for,
    unless WaitForTransitioningInstances is false. Raises ActiveInstanceRefreshNotFound."""
    group = group_of(response)
    record = held(group).refresh
    if record is None:
        raise AutoscalingClientError(
            "ActiveInstanceRefreshNotFound",
            f"No in progress or pending Instance Refresh found for Auto Scaling group {group.name}",
        )
    if response._get_bool_param("WaitForTransitioningInstances", if_none=True):
        record.status = CANCELLING  # until reconcile sees that nothing is on its way
    else:
        record.end("Cancelled", "Cancelled by user")
    return ActionResult({"InstanceRefreshId": record.instance_refresh_id})
