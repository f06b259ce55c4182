# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""What a request to Auto Scaling means."""

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse

from lab.cloud.auto_scaling.held import Member
from lab.cloud.auto_scaling.reconcile_groups import members


def group_of(response: AutoScalingResponse) -> FakeAutoScalingGroup:
    """The group that a request names. Raises ValidationError."""
    name = response._get_param("AutoScalingGroupName")
    group = response.autoscaling_backend.autoscaling_groups.get(name)
    if group is None:
        raise ValidationError(
            f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found"
        )
    return group


def member_of(backend: AutoScalingBackend, instance_id: str) -> tuple[FakeAutoScalingGroup, Member]:
    """An instance and its group. Raises ValidationError."""
    for group in backend.autoscaling_groups.values():
        for member in members(group):
            if member.instance.id == instance_id:
                return group, member
    raise ValidationError(
        f"Instance Id not found - No managed instance found for instance ID: {instance_id}"
    )
