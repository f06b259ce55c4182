"""Alarms on what the cluster agent sends of workers: `node/cluster/worker_metrics.py`. Pure.

The groups' own metrics (`enabledMetrics`, GroupInServiceInstances) would do for missing workers,
and know no Node: an agent that asks Auto Scaling anyway, for drains, tells both apart, and needs no
right that it does not have.
"""

from components.monitoring.node_alarms import NodeAlarm
from node.contract import JOIN_SECONDS, WorkerMetric

UNDECIDED_MINUTES = 15
"""Of a request, which is decided within seconds, and within five minutes when EC2 does not show its
instance (node/cluster/approval.py). As long as kubelet waits for an answer (client-go,
certificateWaitTimeout), and as a group waits for a machine to join. A certificate that is to be
renewed then still lasts for 33 hours and more (components/userdata/controllers.py)."""
NOT_READY_MINUTES = 15
"""Longer than a reboot, and than a group takes to find that a machine is gone or that its status
checks fail, which is "a few minutes" (Auto Scaling guide, "About the health checks for your Auto
Scaling group"): what is not ready and in service after that is replaced by nobody."""
MISSING_MINUTES = JOIN_SECONDS // 60 + 5
"""A launch that comes to nothing is given up after JOIN_SECONDS, and another machine has five
minutes then to join."""


def worker_alarms() -> tuple[NodeAlarm, ...]:
    """The alarms of a stack with pools."""
    return (
        # From silence nobody knows that requests are decided: it is the agent that decides which
        # tells, once it has looked.
        NodeAlarm(
            suffix="undecided-requests",
            description="A kubelet has waited for its certificate for over "
            f"{UNDECIDED_MINUTES} minutes, or nobody looks: without an answer every worker ends "
            "with its certificate; read the journal of ha-cluster-agent on the API server that "
            "leads",
            metric=WorkerMetric.UNDECIDED_REQUEST_SECONDS,
            statistic="Maximum",
            above=UNDECIDED_MINUTES * 60,
            minutes=5,
            missing="breaching",
        ),
        # What fell silent is not cured, and `undecided-requests` tells of it.
        NodeAlarm(
            suffix="not-ready-workers",
            description="A worker in service has not been ready for "
            f"{NOT_READY_MINUTES} minutes, and its group keeps it: look at its kubelet, or "
            "terminate it",
            metric=WorkerMetric.NOT_READY_WORKERS,
            statistic="Maximum",
            above=0,
            minutes=NOT_READY_MINUTES,
            missing="ignore",
        ),
        NodeAlarm(
            suffix="missing-workers",
            description="A pool has had fewer workers in service than it is to have for "
            f"{MISSING_MINUTES} minutes: the activities of its Auto Scaling group say why none "
            "starts or joins",
            metric=WorkerMetric.MISSING_WORKERS,
            statistic="Maximum",
            above=0,
            minutes=MISSING_MINUTES,
            missing="ignore",
        ),
    )
