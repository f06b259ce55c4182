"""What the documentation says that snapshots cost, computed from the rule and the bucket."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from components.storage.bucket import NONCURRENT_DAYS
from config import check
from node.etcd.snapshot_bucket import Snapshot
from node.etcd.snapshot_retention import superfluous

USD_PER_GIB = 0.023
"""A month of S3 Standard in us-east-1 (AWS price list, November 2026)."""
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def row(mib: int) -> str:
    """The row of the table for a database of that size, with the default settings."""
    snapshots = check({}, stack="test").etcd.snapshots
    per_day = 1440 // snapshots.every_minutes
    history = []
    for number in range(2 * snapshots.keep_days * per_day):
        age = timedelta(minutes=number * snapshots.every_minutes)
        time = f"{NOW - age:%Y%m%dT%H%M%SZ}"
        history.append(Snapshot(1_000_000 - number, time, time, age.total_seconds()))
    kept = len(history) - len(superfluous(history, snapshots.keep_days))
    # As many as are stored in a day are deleted in a day.
    deleted = per_day * NONCURRENT_DAYS
    gib = (kept + deleted) * mib / 1024
    name = f"{mib} MiB" if mib < 1024 else f"{mib // 1024} GiB"
    return f"| {name} | {kept} | {deleted} | {gib:,.0f} | {gib * USD_PER_GIB:.2f} |"


@pytest.mark.parametrize("mib", [100, 4096])
def test_the_documented_cost_is_what_the_rule_makes_it(mib):
    text = (Path(__file__).parents[2] / "docs/architecture.md").read_text()
    assert row(mib) in text.splitlines()
