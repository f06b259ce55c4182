"""Alarms on what the cluster agent sends of workers: `node/cluster/worker_metrics.py`. Pure.

The groups' own metrics (`enabledMetrics`, GroupInServiceInstances) would do for missing workers,
and know no Node and no age: an agent that asks Auto Scaling anyway, for drains, tells all that
apart, and needs no right that it does not have.
"""

from components.monitoring.node_alarms import NodeAlarm
from node.contract import JOIN_SECONDS, WorkerMetric

UNDECIDED_SECONDS = 900
"""Age of a request, which is decided within seconds, and within five minutes when EC2 does not show
its instance (node/cluster/approval.py). As long as kubelet waits for an answer (client-go,
certificateWaitTimeout). A certificate that is to be renewed then still lasts for 33 hours and more
(components/userdata/controllers.py)."""
NOT_READY_SECONDS = 900
"""Longer than a reboot, and than a group takes to find that a machine is gone or that its status
checks fail, which is "a few minutes" (Auto Scaling guide, "About the health checks for your Auto
Scaling group"): what is not ready and in service after that is replaced by nobody."""
MISSING_SECONDS = JOIN_SECONDS + 600
"""A launch that comes to nothing is given up JOIN_SECONDS after its machine runs; the group then
has as long as two more machines take to boot and join."""
MINUTES = 3
"""Of values above, since ages are in the values. Silence takes a little longer to be told, and the
lead less to move, unless `controllers.leaseDuration` is minutes."""


def worker_alarms() -> tuple[NodeAlarm, ...]:
    """The alarms of a stack with pools.

    All tell of silence, since an agent that does not look does not decide, either. Before the first
    value they do not: the machines that send come after the alarms, and after those of before,
    which still lead.
    """
    return (
        NodeAlarm(
            suffix="undecided-requests",
            description="Nobody has decided about a kubelet's certificate request for over "
            f"{UNDECIDED_SECONDS // 60} minutes, or nobody looks: without an answer every worker "
            "ends with its certificate; read the journal of ha-cluster-agent on the API server "
            "that leads",
            metric=WorkerMetric.UNDECIDED_REQUEST_SECONDS,
            statistic="Maximum",
            above=UNDECIDED_SECONDS,
            minutes=MINUTES,
            missing="missing",
        ),
        NodeAlarm(
            suffix="not-ready-workers",
            description="A worker in service has not been ready for "
            f"{NOT_READY_SECONDS // 60} minutes, and its group keeps it: look at its kubelet, or "
            "terminate it; without data nobody looks",
            metric=WorkerMetric.NOT_READY_SECONDS,
            statistic="Maximum",
            above=NOT_READY_SECONDS,
            minutes=MINUTES,
            missing="missing",
        ),
        NodeAlarm(
            suffix="missing-workers",
            description="A pool has fewer workers in service than it is to have, and none has come "
            f"for {MISSING_SECONDS // 60} minutes: the activities of its Auto Scaling group say "
            "why none starts or joins; without data nobody looks",
            metric=WorkerMetric.MISSING_SECONDS,
            statistic="Maximum",
            above=MISSING_SECONDS,
            minutes=MINUTES,
            missing="missing",
        ),
    )
