# ruff: noqa: SLF001 - moto has no public name for a request's parameters
"""Auto Scaling groups.

Stock moto launches and terminates inside the request that asks for it, all in one subnet, and
never again: what is terminated, stopped or impaired is not replaced, a group with instances is
deleted, one of the same name replaces another, and sizes that contradict each other are taken.
Here a request only says what is wanted; `lab.cloud.auto_scaling` does it, after every request and
by the clock.
"""

from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError, ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.autoscaling.responses import AutoScalingResponse
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.ec2.exceptions import EC2ClientError
from moto.iam.models import iam_backends

from lab.cloud.auto_scaling import capacity, key_access, launching, reconcile_groups
from lab.cloud.auto_scaling.asked import group_of, member_of
from lab.cloud.auto_scaling.clock import every_second
from lab.cloud.auto_scaling.held import Activity, held
from lab.cloud.corrections import lifecycle_hooks
from lab.cloud.corrections.patching import LAUNCH_LOCK, Method, extends, replaces

FULLY_FORMED = "You must use a valid fully-formed launch template."

DELETING = "Delete in progress"


def run_by_the_clock() -> None:
    """Bring the groups up to date every second, in a thread of its own."""
    every_second(reconcile_groups.reconcile_all)


@extends(AutoScalingResponse, "call_action")
def call_action(original: Method, response: AutoScalingResponse) -> object:
    """One request at a time; the groups are brought up to date before and after it."""
    with LAUNCH_LOCK:
        reconcile_groups.reconcile_backend(response.autoscaling_backend)
        answer: object = original(response)
        reconcile_groups.reconcile_backend(response.autoscaling_backend)
    return answer


@replaces(FakeAutoScalingGroup, "set_desired_capacity")
def set_desired_capacity(group: FakeAutoScalingGroup, new_capacity: int | None) -> None:
    """Only say it."""
    group.desired_capacity = group.min_size if new_capacity is None else new_capacity


@replaces(AutoScalingBackend, "notify_terminate_instances")
def notify_terminate_instances(backend: AutoScalingBackend, instance_ids: list[str]) -> None:  # noqa: ARG001 - moto's signature
    """Replace what was terminated; what a group terminates itself is on its way out already."""
    reconcile_groups.reconcile_backend(backend)


def _check_sizes(minimum: int, maximum: int, desired: int) -> None:
    if minimum < 0 or maximum < minimum:
        raise ValidationError("Min size cannot be greater than max size")
    if not minimum <= desired <= maximum:
        raise ValidationError(
            f"Desired capacity:{desired} must be between the specified min size:{minimum} and max "
            f"size:{maximum}"
        )


def _check_launch(group: FakeAutoScalingGroup) -> None:
    """Whether an instance could be launched in every subnet. Raises ValidationError."""
    try:
        version = launching.version_of(group)
        for subnet in reconcile_groups.subnets(group):
            launching.check(launching.Order(group, version, subnet, spot=False))
    except ServiceException as error:
        raise ValidationError(f"{FULLY_FORMED} {error.message}") from error


@extends(AutoScalingResponse, "create_auto_scaling_group")
def create_auto_scaling_group(original: Method, response: AutoScalingResponse) -> EmptyResult:
    """CreateAutoScalingGroup. Raises AlreadyExists, ValidationError."""
    backend, name = response.autoscaling_backend, response._get_param("AutoScalingGroupName")
    if name in backend.autoscaling_groups:
        raise AutoscalingClientError(
            "AlreadyExists",
            f"AutoScalingGroup by this name already exists - A group with the name {name} already "
            "exists",
        )
    if not response._get_param("LaunchTemplate") and not response._get_param(
        "MixedInstancesPolicy"
    ):
        raise ValidationError("This account has no launch configurations: use a launch template.")
    minimum, maximum = response._get_int_param("MinSize"), response._get_int_param("MaxSize")
    desired = response._get_int_param("DesiredCapacity")
    _check_sizes(minimum, maximum, minimum if desired is None else desired)
    _check_tags(response._get_param("Tags", []))
    try:
        answer: EmptyResult = original(response)
    except EC2ClientError as error:
        raise ValidationError(error.message) from error
    group = backend.autoscaling_groups.pop(name)
    _check_launch(group)
    _take_over(group, response)
    for hook in response._get_param("LifecycleHookSpecificationList", []):
        lifecycle_hooks.create(group, hook)
    _service_linked_role(backend.account_id)
    backend.autoscaling_groups[name] = group
    return answer


def _check_tags(tags: list[dict[str, Any]]) -> None:
    for tag in tags:
        if str(tag["Key"]).lower().startswith("aws:"):
            raise ValidationError(f"Tag keys cannot start with the reserved 'aws:': {tag['Key']}")


def _service_linked_role(account: str) -> None:
    """AWS makes it with the first group of an account."""
    iam = iam_backends[account]["aws"]
    if all(role.name != key_access.ROLE for role in list(iam.roles.values())):
        iam.create_service_linked_role("autoscaling.amazonaws.com", "", "")


def _take_over(group: FakeAutoScalingGroup, response: AutoScalingResponse) -> None:
    """What stock moto does not read from a request; attribute names are those of its serializer."""
    for name, attribute in {
        "DefaultInstanceWarmup": "default_instance_warmup",
        "MaxInstanceLifetime": "max_instance_lifetime",
        "InstanceMaintenancePolicy": "instance_maintenance_policy",
        "DefaultCooldown": "default_cooldown",
        "TerminationPolicies": "termination_policies",
        "PlacementGroup": "placement_group",
        "CapacityRebalance": "capacity_rebalance",
        "Context": "context",
        "DesiredCapacityType": "desired_capacity_type",
    }.items():
        value = response._get_param(name)
        if value is not None:
            setattr(group, attribute, value)
    grace = response._get_int_param("HealthCheckGracePeriod")
    if grace is not None:
        group.health_check_grace_period = grace  # stock moto takes 0 for 300


@extends(AutoScalingResponse, "update_auto_scaling_group")
def update_auto_scaling_group(original: Method, response: AutoScalingResponse) -> EmptyResult:
    """UpdateAutoScalingGroup. Raises ValidationError."""
    group = group_of(response)
    minimum = response._get_int_param("MinSize", int(group.min_size or 0))
    maximum = response._get_int_param("MaxSize", int(group.max_size or 0))
    desired = response._get_int_param("DesiredCapacity")
    if desired is None:
        desired = capacity.within(int(group.desired_capacity or 0), minimum, maximum)
    _check_sizes(minimum, maximum, desired)
    before = group.mixed_instances_policy
    answer: EmptyResult = original(response)
    if not response._get_param("MixedInstancesPolicy") and not response._get_param(
        "LaunchTemplate"
    ):
        group.mixed_instances_policy = before  # stock moto forgets it
    if response._get_param("LaunchTemplate") or response._get_param("MixedInstancesPolicy"):
        _check_launch(group)
    group.desired_capacity = desired
    _take_over(group, response)
    return answer


@replaces(AutoScalingResponse, "set_desired_capacity")
def respond_set_desired_capacity(response: AutoScalingResponse) -> EmptyResult:
    """SetDesiredCapacity. Raises ValidationError."""
    group, desired = group_of(response), response._get_int_param("DesiredCapacity")
    for bound, word, broken in (
        (group.max_size, "above max", desired > int(group.max_size or 0)),
        (group.min_size, "below min", desired < int(group.min_size or 0)),
    ):
        if broken:
            raise ValidationError(
                f"New SetDesiredCapacity value {desired} is {word} value {bound} for the "
                "AutoScalingGroup."
            )
    group.desired_capacity = desired
    return EmptyResult()


@replaces(AutoScalingResponse, "delete_auto_scaling_group")
def delete_auto_scaling_group(response: AutoScalingResponse) -> EmptyResult:
    """DeleteAutoScalingGroup. Raises ResourceInUse for a group with instances, unless it is forced:
    then they go without their hooks, and the group with the last of them."""
    group = group_of(response)
    if not group.instance_states:
        reconcile_groups.remove(group)
        return EmptyResult()
    if not response._get_bool_param("ForceDelete"):
        raise AutoscalingClientError(
            "ResourceInUse",
            "You cannot delete an AutoScalingGroup while there are instances or pending Spot "
            "instance request(s) still in the group.",
        )
    backend = group.autoscaling_backend
    for key, hook in list(backend.lifecycle_hooks.items()):
        if hook.auto_scaling_group_name == group.name:
            del backend.lifecycle_hooks[key]
    for member in reconcile_groups.members(group):
        member.actions = ()
    group.min_size = group.max_size = group.desired_capacity = 0
    group.status = DELETING  # type: ignore[attr-defined] # for the serializer
    held(group).deleting = True
    return EmptyResult()


@replaces(AutoScalingResponse, "describe_scaling_activities")
def describe_scaling_activities(response: AutoScalingResponse) -> ActionResult:
    """DescribeScalingActivities, the last one first."""
    name = response._get_param("AutoScalingGroupName")
    groups = response.autoscaling_backend.autoscaling_groups
    asked = [groups[name]] if name in groups else [] if name else list(groups.values())
    found = [activity for group in asked for activity in reversed(held(group).activities)]
    return ActionResult({"Activities": found[:100]})


@replaces(AutoScalingResponse, "terminate_instance_in_auto_scaling_group")
def terminate_instance(response: AutoScalingResponse) -> ActionResult:
    """TerminateInstanceInAutoScalingGroup. Raises ValidationError."""
    instance_id = response._get_param("InstanceId")
    group, member = member_of(response.autoscaling_backend, instance_id)
    cause = f"instance {instance_id} was taken out of service in response to a user request"
    if response._get_bool_param("ShouldDecrementDesiredCapacity"):
        if int(group.desired_capacity or 0) <= int(group.min_size or 0):
            raise ValidationError(
                f"Currently, desiredSize equals minSize ({group.min_size}). Terminating instance "
                "with decrement will violate group's min size constraint."
            )
        group.desired_capacity = int(group.desired_capacity or 0) - 1
    activity: Activity = reconcile_groups.begin_to_terminate(group, member, cause)
    return ActionResult({"Activity": activity})


@extends(AutoScalingResponse, "set_instance_health")
def set_instance_health(original: Method, response: AutoScalingResponse) -> EmptyResult:
    """SetInstanceHealth. Raises ValidationError."""
    member_of(response.autoscaling_backend, response._get_param("InstanceId"))
    answer: EmptyResult = original(response)
    return answer
