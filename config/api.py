"""`api` and `controllers`: the API server tier and the leader election of its controllers."""

from datetime import timedelta
from ipaddress import IPv4Network
from typing import Annotated

from pydantic import AfterValidator, Field

from config.change import IN_PLACE, REFUSED, ROLLS_API, Change, Effect
from config.instances import InstanceType
from config.types import Cidr, Duration, Settings, bounded, check_distinct_networks

MAX_CIDRS = 50
"""CIDRs in `api.allowedCidrs`: AWS allows 60 rules in a security group unless asked for more."""


def _check_allowed(networks: list[IPv4Network] | None) -> list[IPv4Network] | None:
    if networks is None:
        return None
    if not networks:
        raise ValueError(
            "must name at least one CIDR: with none nobody reaches the API; leave the key out for "
            "the VPC alone"
        )
    if len(networks) > MAX_CIDRS:
        raise ValueError(
            f"must be at most {MAX_CIDRS} CIDRs: AWS allows 60 rules in a security group"
        )
    return check_distinct_networks(networks)


class ApiSettings(Settings):
    """`api`: the API servers and the load balancer in front of them."""

    size: Annotated[int, Field(ge=1, le=9), Change(Effect.ADDS_OR_REMOVES)] = 3
    """API servers; at least 2, and 1 only with `protect: false`."""
    instance_type: Annotated[InstanceType | None, ROLLS_API] = None
    """EC2 instance type; `m6i.large` on amd64 and `m7g.large` on arm64 when left out."""
    internal: Annotated[bool, REFUSED] = True
    """Balancer with private addresses only."""
    allowed_cidrs: Annotated[list[Cidr] | None, AfterValidator(_check_allowed), IN_PLACE] = None
    """CIDRs that may reach the load balancer; the VPC when left out, 0.0.0.0/0 only when written
    out. API servers and workers always may, and `network.workerCidrs`; with an adopted VPC and a
    public load balancer name the public addresses of its NAT gateways here."""
    shutdown_delay: Annotated[Duration, bounded("1s", "1h"), ROLLS_API] = timedelta(seconds=130)
    """How long a stopping API server goes on serving, so that the load balancer notices first; 1s
    to 1h."""


class ControllerSettings(Settings):
    """`controllers`: leader election of kube-controller-manager and kube-scheduler."""

    # A Lease holds whole seconds (leaseDurationSeconds): less than one would be a lease of none.
    lease_duration: Annotated[Duration, bounded("1s", "1h", whole_seconds=True), ROLLS_API] = (
        timedelta(seconds=15)
    )
    """How long standbys wait before they take over a lease that nobody renews; whole seconds, 1s to
    1h."""
    renew_deadline: Annotated[Duration, bounded("100ms", "1h"), ROLLS_API] = timedelta(seconds=10)
    """How long a leader tries to renew before it gives up; shorter than `leaseDuration`."""
    retry_period: Annotated[Duration, bounded("10ms", "1h"), ROLLS_API] = timedelta(seconds=2)
    """Pause between tries; `renewDeadline` is more than 1.2 times as long."""
