"""Age of the newest snapshot, as far as this member knows.

The alarm takes the smallest age that any member sends. The member that leads knows its own
snapshots; the others look into the bucket whenever their timer runs, so the age goes on growing
from the right value when the one that took the last snapshot is gone. A machine that knows of none
sends nothing: silence raises the alarm.
"""

import time

from node import files
from node.contract import CACHE
from node.settings import at

_RECORD = f"{CACHE}/newest-snapshot"
"""When it was taken, in seconds of this machine's clock."""


def remember(age: float) -> None:
    """A snapshot of that age, in seconds, is stored."""
    files.write(at(_RECORD), f"{int(time.time() - age)}\n")


def age() -> float | None:
    """Seconds; None when this member knows of no snapshot."""
    try:
        return max(0.0, time.time() - float(files.read(at(_RECORD)) or ""))
    except ValueError:
        return None
