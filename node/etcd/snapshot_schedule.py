"""`snapshot`: when one is due. Every member asks once a minute; most answers are no.

A member that does not lead looks into the bucket when one would be due by what it knows, and then
knows better; so whichever member comes to lead goes on in step.
"""

import time

from node import files, operations
from node.contract import CACHE
from node.etcd import snapshot_age
from node.settings import EtcdSettings, Settings, at

RETRY = 300
"""Seconds after an attempt, whatever came of it: reading a large database has its price."""

_RECORD = f"{CACHE}/snapshot-tried"
"""When the last attempt began, in seconds of this machine's clock."""


def run(settings: Settings, etcd: EtcdSettings, *, when_due: bool = False) -> str:
    """Store a snapshot, if this member leads; `when_due`: if it is time, too. What was done, who
    does it, or why not yet.

    How often is for the stack to say, and may change while the machine runs.

    NodeError as `snapshots.take`, and when nobody knows how often.
    """
    if when_due and (reason := not_yet(operations.recent(settings).every_minutes)):
        return reason
    attempt()
    # It needs boto3, whose import takes longer than everything else that happens once a minute.
    from node.etcd import snapshots  # noqa: PLC0415

    return snapshots.take(settings, etcd)


def not_yet(every_minutes: int) -> str | None:
    """Why there is nothing to do; None when a snapshot is due."""
    age = snapshot_age.age()
    if age is not None and age < every_minutes * 60:
        return f"the newest is {age / 60:.0f} min old, and one is due every {every_minutes} min"
    since = _since_attempt()
    if since is not None and since < RETRY:
        return f"the last attempt was {since:.0f} s ago, and the next is {RETRY} s after it"
    return None


def attempt() -> None:
    """An attempt begins."""
    files.write(at(_RECORD), f"{int(time.time())}\n")


def _since_attempt() -> float | None:
    """Seconds; None when there was none, or the clock was set back since."""
    try:
        since = time.time() - float(files.read(at(_RECORD)) or "")
    except ValueError:
        return None
    return since if since >= 0 else None
