"""What snapshots of etcd cost in S3, computed from the rule that thins them out and the bucket."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from components.storage.bucket import NONCURRENT_DAYS
from config import check
from config.prices import PRICES
from lab.tests.figures.tables import rows
from node.etcd.snapshot_bucket import Snapshot
from node.etcd.snapshot_retention import superfluous

SETTINGS = check({}, stack="figures").etcd.snapshots
SIZES_MIB = (100, 4096)
"""Databases that the documentation gives as examples."""
_NOW = datetime(2026, 11, 24, tzinfo=UTC)
"""Any time: only ages matter."""


@dataclass(frozen=True)
class Stored:
    """Snapshots that are in the bucket at any time, of a database of one size."""

    mib: int
    """Size of the database."""
    kept: int
    deleted: int
    """Deleted ones that the bucket still has."""

    @property
    def database(self) -> str:
        return f"{self.mib} MiB" if self.mib < 1024 else f"{self.mib // 1024} GiB"

    @property
    def gib(self) -> Decimal:
        return Decimal((self.kept + self.deleted) * self.mib) / 1024

    @property
    def usd(self) -> Decimal:
        """A month of them."""
        return self.gib * PRICES["S3 Standard"].usd


def stored(mib: int) -> Stored:
    """With the default settings, after long enough."""
    per_day = 1440 // SETTINGS.every_minutes
    history = []
    for number in range(2 * SETTINGS.keep_days * per_day):
        age = timedelta(minutes=number * SETTINGS.every_minutes)
        time = f"{_NOW - age:%Y%m%dT%H%M%SZ}"
        history.append(Snapshot(1_000_000 - number, time, time, age.total_seconds()))
    kept = len(history) - len(superfluous(history, SETTINGS.keep_days))
    # As many as are stored in a day are deleted in a day.
    return Stored(mib, kept, per_day * NONCURRENT_DAYS)


def snapshots() -> str:
    """A table of the examples, and what they are based on."""
    price = PRICES["S3 Standard"]
    return (
        f"**Cost**, every {SETTINGS.every_minutes} minutes for {SETTINGS.keep_days} days, at "
        f"{price.usd} US dollars per {price.per} (S3 Standard):\n\n"
    ) + rows(
        (
            "database",
            "snapshots kept",
            f"deleted ones of {NONCURRENT_DAYS} days",
            "GiB",
            "US dollars a month",
        ),
        [
            (one.database, one.kept, one.deleted, f"{one.gib:,.0f}", f"{one.usd:.2f}")
            for one in map(stored, SIZES_MIB)
        ],
    )
