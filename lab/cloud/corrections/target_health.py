"""Health of load balancer targets.

Stock moto answers `healthy` for every registered address, so nothing that waits for health could
ever be seen to wait. Here a registered target is what was reported for it (`lab.cloud.control`);
where nobody reported, it is `healthy` while an instance that runs holds its address, and
`unhealthy` otherwise, since nothing would answer there. A target that was deregistered is still
listed while it is reported to drain, as in AWS for the group's deregistration delay; stock moto
forgets it at once, so nothing that waits for the end of its connections could be seen to.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from moto.ec2.models import EC2Backend
from moto.elbv2.models import ELBv2Backend, FakeHealthStatus, FakeTargetGroup

from lab.cloud.corrections.patching import Method, extends

State = Literal["initial", "healthy", "unhealthy", "draining", "unused", "unavailable"]
STATES: tuple[str, ...] = get_args(State)

REASONS = {
    "initial": ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": (
        "Target.DeregistrationInProgress",
        "Target deregistration is in progress",
    ),
}
"""Reason code and description of a state, as DescribeTargetHealth gives them."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """What somebody who watches a target says of it."""

    target: str
    """Target id: an address or an instance id."""
    state: State
    group: str | None = None
    """Name of the target group; None means every group."""

    def __post_init__(self) -> None:
        """Raises ValueError on a state that AWS does not have."""
        if self.state not in STATES:
            raise ValueError(f"state must be one of {', '.join(STATES)}, not {self.state!r}")


_reports: dict[tuple[str | None, str], Report] = {}


def report(entry: Report) -> None:
    """Set the state of a target until the next report."""
    _reports[entry.group, entry.target] = entry


def forget(target: str) -> None:
    """Drop every report on a target."""
    for key in [key for key in _reports if key[1] == target]:
        _reports.pop(key, None)


def reports() -> list[Report]:
    """All reports that stand."""
    return list(_reports.values())


def _answers(backend: EC2Backend, target: str) -> bool:
    return any(
        target in {instance.id, instance.private_ip_address}
        for instance in backend.all_running_instances()
    )


@extends(FakeTargetGroup, "health_for")
def health_for(
    original: Method, group: FakeTargetGroup, target: dict[str, str], backend: EC2Backend
) -> FakeHealthStatus:
    """The state of one target, from the reports."""
    status: FakeHealthStatus = original(group, target, backend)
    address = target["Id"]
    entry = _report_on(group, address)
    if _drains(group, address):
        status.status = "draining"
    elif address not in group.targets or status.status == "unused":
        return status
    else:
        status.status = entry.state if entry else _unreported(backend, address)
    status.reason, status.description = REASONS.get(status.status, (None, None))
    return status


@extends(ELBv2Backend, "describe_target_health")
def describe_target_health(
    original: Method, backend: ELBv2Backend, target_group_arn: str, targets: list[dict[str, str]]
) -> list[FakeHealthStatus]:
    """Who asks for every target is also told of those that drain."""
    listed: list[FakeHealthStatus] = original(backend, target_group_arn, targets)
    if targets:
        return listed
    group = backend.target_groups[target_group_arn]
    return listed + [
        group.health_for(target, backend.ec2_backend)
        for address, target in group.deregistered_targets.items()
        if _drains(group, address)
    ]


def _report_on(group: FakeTargetGroup, address: str) -> Report | None:
    return _reports.get((group.name, address)) or _reports.get((None, address))


def _drains(group: FakeTargetGroup, address: str) -> bool:
    entry = _report_on(group, address)
    return address in group.deregistered_targets and entry is not None and entry.state == "draining"


def _unreported(backend: EC2Backend, address: str) -> str:
    return "healthy" if _answers(backend, address) else "unhealthy"
