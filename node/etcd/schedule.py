"""How often snapshots are taken, and for how long they are kept."""

from dataclasses import dataclass

from node.settings import EtcdSettings


@dataclass(frozen=True)
class Schedule:
    """What `etcd.snapshots` says."""

    every_minutes: int
    """Minutes between snapshots."""
    keep_days: int
    """Days for which one snapshot a day is kept."""


def schedule(mine: EtcdSettings) -> Schedule:
    """The schedule of now. Everything that needs it asks here."""
    return Schedule(mine.snapshots["everyMinutes"], mine.snapshots["keepDays"])
