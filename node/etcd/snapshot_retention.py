"""Retention of snapshots: all of the last 48 hours, then one a day. Pure.

It is asked only after a newer snapshot was stored and verified. When snapshots stop, for whatever
reason and for however long, nothing is deleted any more (docs/adr/0014).
"""

from collections.abc import Iterable

from node.etcd.snapshot_bucket import BUMP, Snapshot

DAY = 86400
"""Seconds."""
ALL = 2 * DAY
"""Seconds for which every snapshot is kept."""


def superfluous(stored: Iterable[Snapshot], keep_days: int) -> list[str]:
    """Keys of the snapshots that may go, of all that are stored.

    Of a day (of the time in the name), the newest is kept, for `keep_days`; of a day on which the
    cluster was restored, the newest of before and of after. The newest of all stays whatever its
    age. Ages are S3's own, so a copy counts as new: it stays longer, never shorter.
    """
    snapshots = sorted(stored)
    limit = keep_days * DAY
    older = [snapshot for snapshot in snapshots if snapshot.age > min(ALL, limit)]
    # Sorted: of each day and founding the newest remains.
    daily = {(s.time[:8], s.revision // BUMP): s for s in older if s.age <= limit}
    kept = {snapshot.key for snapshot in (*daily.values(), *snapshots[-1:])}
    return [snapshot.key for snapshot in older if snapshot.key not in kept]
