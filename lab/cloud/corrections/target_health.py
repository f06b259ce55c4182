"""Health of load balancer targets.

Stock moto answers `healthy` for every registered address, so nothing that waits for health could
ever be seen to wait. Here a registered target is what was reported for it (see
`lab.cloud.control_api`).
Where nobody reported, it is `initial` if somebody runs the load balancer; else it is `healthy`
while an instance that runs holds its address, and `unhealthy` otherwise, since nothing would answer
there.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from moto.ec2.models import EC2Backend
from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup

from lab.cloud.corrections.life_cycle import MACHINES
from lab.cloud.corrections.patching import Method, extends

State = Literal[
    "initial",
    "healthy",
    "unhealthy",
    "unhealthy.draining",
    "draining",
    "unused",
    "unavailable",
]
STATES: tuple[str, ...] = get_args(State)

REASONS = {
    "initial": ("Elb.InitialHealthChecking", "Initial health checks in progress"),
    "unhealthy": ("Target.FailedHealthChecks", "Health checks failed"),
    "unhealthy.draining": ("Target.FailedHealthChecks", "Health checks failed"),
    "draining": (
        "Target.DeregistrationInProgress",
        "Target deregistration is in progress",
    ),
    "unused": (
        "Target.NotInUse",
        "Target group is not configured to receive traffic from the load balancer",
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


def forget(target: str, group: str | None = None) -> None:
    """Drop every report on a target, or those of one group."""
    for key in [key for key in _reports if key[1] == target and group in {None, key[0]}]:
        _reports.pop(key, None)


def reports() -> list[Report]:
    """All reports that stand."""
    return list(_reports.values())


def drains(group: FakeTargetGroup, target: str) -> bool:
    """Whether a target was deregistered and still has connections: where somebody runs the load
    load balancer until that one says that it is done, else while it is reported to drain."""
    if target not in group.deregistered_targets:
        return False
    entry = _report_on(group, target)
    if MACHINES.attached and group.load_balancer_arns:
        return entry is None or entry.state != "unused"
    return entry is not None and entry.state == "draining"


def _report_on(group: FakeTargetGroup, target: str) -> Report | None:
    return _reports.get((group.name, target)) or _reports.get((None, target))


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
    if drains(group, address):
        status.status = "draining"
    elif address not in group.targets or status.status == "unused":
        return status
    else:
        entry = _report_on(group, address)
        status.status = entry.state if entry else _unreported(group, backend, address)
    status.reason, status.description = REASONS.get(status.status, (None, None))
    return status


def _unreported(group: FakeTargetGroup, backend: EC2Backend, address: str) -> str:
    if MACHINES.attached:
        return "initial" if group.load_balancer_arns else "unused"
    return "healthy" if _answers(backend, address) else "unhealthy"
