"""Alarms on what nodes send: `node/metrics.py`, `node/etcd/member_metrics.py`. Pure."""

from dataclasses import dataclass
from typing import Literal

from node.contract import Metric, WorkerMetric

QUOTA_PERCENT = 80
"""Of the database quota. At 100 etcd refuses writes (operations guide, "Space quota")."""
DISK_PERCENT = 90
"""Of the data volume's file system. etcd stops when it is full."""
CERTIFICATE_DAYS = 30
"""Before the first certificate expires: time to raise `pki.epoch`."""

Missing = Literal["breaching", "notBreaching", "ignore", "missing"]
"""What CloudWatch makes of a minute without data; `ignore` leaves the alarm as it is, and after
`missing` alone it has no state any more, which is told, too."""


@dataclass(frozen=True, kw_only=True)
class NodeAlarm:
    """An alarm on the worst or the best of what nodes report, each half minute."""

    suffix: str
    """The name, after the cluster's."""
    description: str
    """What is wrong when it fires."""
    metric: Metric | WorkerMetric
    """Name of the metric; its one dimension is the cluster."""
    statistic: Literal["Minimum", "Maximum"]
    """Over all nodes and one minute."""
    above: int | None = None
    """It fires above this value, or, when None,"""
    below: int | None = None
    """below this one."""
    minutes: int
    """Minutes that it must last."""
    missing: Missing
    """What silence means."""


def node_alarms(snapshot_minutes: int) -> tuple[NodeAlarm, ...]:
    """The alarms, for snapshots that are due every so many minutes."""
    overdue = 3 * snapshot_minutes
    return (
        # NoReport is a fault of these: nobody has a leader, nobody who leads knows who is there, or
        # nobody knows of a snapshot.
        NodeAlarm(
            suffix="no-leader",
            description="No etcd member has had a leader for three minutes, so no write succeeds: "
            "bring members back until more than half of them run",
            metric=Metric.HAS_LEADER,
            statistic="Maximum",
            below=1,
            minutes=3,
            missing="breaching",
        ),
        NodeAlarm(
            suffix="missing-members",
            description="A desired etcd member has not been a healthy voter for five minutes: the "
            "next loss may stop every write; bring it back first",
            metric=Metric.MISSING_MEMBERS,
            statistic="Maximum",
            above=0,
            minutes=5,
            missing="breaching",
        ),
        NodeAlarm(
            suffix="snapshot-age",
            description=f"No etcd snapshot for {overdue} minutes, so three were missed: look at "
            "the leader's node-snapshot.service",
            metric=Metric.SNAPSHOT_AGE_SECONDS,
            statistic="Minimum",
            above=overdue * 60,
            minutes=5,
            missing="breaching",
        ),
        # Of these it is not; but what fell silent is not cured, so they stay as they are.
        NodeAlarm(
            suffix="snapshot-failed",
            description="The last etcd snapshot could not be taken or stored: see `snapshot` in "
            "the statuses of the members",
            metric=Metric.SNAPSHOT_FAILED,
            statistic="Maximum",
            above=0,
            minutes=1,
            missing="ignore",
        ),
        NodeAlarm(
            suffix="data-disk",
            description=f"The data disk of an etcd member is over {DISK_PERCENT} % full, or would "
            "be with a database as large as its quota: raise etcd.dataVolume.sizeGib",
            metric=Metric.DATA_DISK_NEEDED_PERCENT,
            statistic="Maximum",
            above=DISK_PERCENT,
            minutes=5,
            missing="ignore",
        ),
        NodeAlarm(
            suffix="no-space",
            description="The etcd database is full (NOSPACE) and takes no writes: start "
            "node-defrag.service on each member",
            metric=Metric.NO_SPACE,
            statistic="Maximum",
            above=0,
            minutes=1,
            missing="ignore",
        ),
        NodeAlarm(
            suffix="corrupt",
            description="Data of an etcd member differs from the others' (CORRUPT): find which, "
            "and replace its disk; do not defragment",
            metric=Metric.CORRUPT,
            statistic="Maximum",
            above=0,
            minutes=1,
            missing="ignore",
        ),
        NodeAlarm(
            suffix="database-size",
            description=f"The etcd database is over {QUOTA_PERCENT} % of its quota: find what "
            "fills it, or raise etcd.quotaGib",
            metric=Metric.DATABASE_QUOTA_PERCENT,
            statistic="Maximum",
            above=QUOTA_PERCENT,
            minutes=5,
            missing="ignore",
        ),
        NodeAlarm(
            suffix="certificates",
            description=f"A certificate of a node expires in less than {CERTIFICATE_DAYS} days: "
            "raise pki.epoch and run pulumi up",
            metric=Metric.CERTIFICATE_DAYS_LEFT,
            statistic="Minimum",
            below=CERTIFICATE_DAYS,
            minutes=5,
            missing="ignore",
        ),
    )
