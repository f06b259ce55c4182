"""`etcd`: the size, the machines, the disk and the timers of the etcd tier."""

from typing import Annotated

from pydantic import AfterValidator, Field

from config.change import IN_PLACE, ROLLS_ETCD, Change, Effect
from config.instances import InstanceType
from config.quorum import ALLOWED_SIZES, size_problem
from config.types import Settings, one_of
from config.versions import ETCD


def _check_size(size: int) -> int:
    problem = size_problem(size)
    if problem is not None:
        raise ValueError(problem)
    return size


class DataVolume(Settings):
    """The gp3 volume of a member: it outlives the machine and is never formatted twice."""

    # Limits of gp3 since September 2025 (EBS user guide): 64 TiB, 80,000 IOPS, 2,000 MiB/s.
    size_gib: Annotated[
        int, Field(ge=4, le=65536), Change(Effect.IN_PLACE, "it grows; EBS cannot shrink a volume")
    ] = 20
    """Size in GiB; at least twice `etcd.quotaGib`, for the write-ahead log and one snapshot."""
    iops: Annotated[int, Field(ge=3000, le=80000), IN_PLACE] = 3000
    """Provisioned IOPS; more than the included 3000 barely shorten an fsync."""
    throughput: Annotated[int, Field(ge=125, le=2000), IN_PLACE] = 125
    """Throughput in MiB/s; at most a quarter of `iops`."""


class Snapshots(Settings):
    """Snapshots to S3: how often, and for how long they are kept."""

    every_minutes: Annotated[int, Field(ge=5, le=1440), IN_PLACE] = 15
    """Minutes between snapshots."""
    keep_days: Annotated[int, Field(ge=1, le=3650), IN_PLACE] = 30
    """Days for which one snapshot a day is kept, after 48 hours in which all are; never are they
    deleted while no newer one is stored."""


class EtcdSettings(Settings):
    """`etcd`: the size, the machines, the disk and the timers of the etcd tier."""

    size: Annotated[
        int,
        AfterValidator(_check_size),
        Field(json_schema_extra={"enum": list(ALLOWED_SIZES)}),
        Change(Effect.ADDS_OR_REMOVES, "one member at a time"),
    ] = 3
    """Voting members: 1, 3, 5 or 7."""
    version: Annotated[
        str,
        AfterValidator(one_of(ETCD.versions)),
        Field(json_schema_extra={"enum": list(ETCD.versions)}),
        ROLLS_ETCD,
    ] = ETCD.default
    """etcd version; 3.6.14 is the floor."""
    instance_type: Annotated[InstanceType | None, ROLLS_ETCD] = None
    """EC2 instance type; `m6i.large` on amd64 and `m7g.large` on arm64 when left out."""
    data_volume: DataVolume = DataVolume()
    """The data volume of each member."""
    quota_gib: Annotated[int, Field(ge=1, le=8), ROLLS_ETCD] = 4
    """Database quota in GiB; etcd suggests no more than 8, and as much memory as quota."""
    heartbeat_ms: Annotated[int, Field(ge=10, le=5000), ROLLS_ETCD] = 100
    """Milliseconds between a leader's heartbeats; about the round trip between zones."""
    election_ms: Annotated[int, Field(ge=100, le=50000), ROLLS_ETCD] = 1000
    """Milliseconds without a heartbeat before an election; at least 5 x `heartbeatMs`."""
    snapshots: Snapshots = Snapshots()
    """Snapshots to S3."""
