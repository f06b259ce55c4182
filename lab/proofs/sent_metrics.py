"""Metrics that nodes sent, as the emulated CloudWatch has them."""

from datetime import UTC, datetime, timedelta

from lab.proofs.lab_session import LabSession
from node.contract import Metric, WorkerMetric, metric_namespace


def greatest(session: LabSession, metric: Metric | WorkerMetric, since: datetime) -> float | None:
    """The greatest value that was sent since a moment, over all nodes; None without any."""
    cluster = session.lab.cluster or ""
    found = session.lab.aws("cloudwatch").get_metric_statistics(
        Namespace=metric_namespace(cluster),
        MetricName=metric,
        Dimensions=[{"Name": "Cluster", "Value": cluster}],
        StartTime=since,
        EndTime=datetime.now(UTC) + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )
    return max((point["Maximum"] for point in found["Datapoints"]), default=None)
