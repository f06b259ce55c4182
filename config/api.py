"""`api` and `controllers`: the API server tier and the leader election of its controllers."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from config.etcd import InstanceType
from config.types import Cidr, Duration, Settings


class ApiSettings(Settings):
    """`api`: the API servers and the balancer in front of them."""

    size: Annotated[int, Field(ge=1, le=9)] = 3
    """API servers; at least 2, and 1 only with `protect: false`."""
    instance_type: InstanceType | None = None
    """EC2 instance type; `m6i.large` on amd64 and `m7g.large` on arm64 when left out."""
    internal: bool = True
    """Balancer with private addresses only."""
    allowed_cidrs: list[Cidr] | None = None
    """CIDRs that may reach the balancer; the VPC when left out, 0.0.0.0/0 only when written out.
    API servers and workers always may, and `network.workerCidrs`; with an adopted VPC and a public
    balancer name the public addresses of its NAT gateways here."""
    shutdown_delay: Duration = timedelta(seconds=130)
    """How long a stopping API server goes on serving, so that the balancer notices first."""


class ControllerSettings(Settings):
    """`controllers`: leader election of kube-controller-manager and kube-scheduler."""

    lease_duration: Duration = timedelta(seconds=15)
    """How long standbys wait before they take over a lease that nobody renews."""
    renew_deadline: Duration = timedelta(seconds=10)
    """How long a leader tries to renew before it gives up; shorter than `leaseDuration`."""
    retry_period: Duration = timedelta(seconds=2)
    """Pause between tries; `renewDeadline` is more than 1.2 times as long."""
