"""Targets that were deregistered.

Stock moto forgets them at once. In AWS DescribeTargetHealth lists a target as `draining` until the
deregistration delay is over. Here the load balancer ends it by reporting the target as `unused`,
where somebody runs one; else a target drains as long as it is reported to.
"""

from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from lab.cloud.corrections import target_health
from lab.cloud.corrections.patching import Method, extends


@extends(FakeTargetGroup, "register")
def register(original: Method, group: FakeTargetGroup, targets: list[dict[str, str]]) -> None:
    """What was known of a target before says nothing of it now, unless it is registered already."""
    new = [target["Id"] for target in targets if target["Id"] not in group.targets]
    original(group, targets)
    for target in new:
        target_health.forget(target, group.name)


@extends(FakeTargetGroup, "deregister")
def deregister(original: Method, group: FakeTargetGroup, targets: list[dict[str, str]]) -> None:
    """It drains, until somebody says otherwise."""
    original(group, targets)
    for target in targets:
        target_health.forget(target["Id"], group.name)


@extends(ELBv2Backend, "describe_target_health")
def describe_target_health(
    original: Method, backend: ELBv2Backend, target_group_arn: str, targets: list[dict[str, str]]
) -> list[FakeHealthStatus]:
    """Those that drain are listed too."""
    found: list[FakeHealthStatus] = original(backend, target_group_arn, targets)
    if targets:
        return found
    group = backend.target_groups[target_group_arn]
    return found + [
        group.health_for(target, backend.ec2_backend)
        for target in list(group.deregistered_targets.values())
        if target_health.drains(group, target["Id"])
    ]
