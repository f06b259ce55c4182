"""Last attempt of a snapshot, as this member knows it, for its status and for the alarm.

One document, in memory, because the disk may be what is full: `time` and `revision` of the newest
snapshot that is stored, `error` of the last attempt, and `running` while one is under way. One that
was killed left it so, and the next one says that it was: a snapshot that runs out of memory each
time is a failure too. After a reboot nothing is known until the first attempt, minutes later.
"""

import json
from typing import Any

from node import files
from node.contract import RUNTIME
from node.etcd.snapshot_bucket import Snapshot
from node.settings import at

_RECORD = f"{RUNTIME}/last-snapshot"
LONGEST = 500
"""Characters of an error: a status is a parameter of at most 4 KB."""


def begin() -> None:
    """An attempt begins."""
    before = _read()
    interrupted = {"error": "the last attempt was interrupted"} if before.get("running") else {}
    _write({**before, **interrupted, "running": True})


def stored(snapshot: Snapshot) -> None:
    """This snapshot is stored, and no newer one is."""
    _write({"time": snapshot.time, "revision": snapshot.revision})


def nothing() -> None:
    """There was nothing to do, and nothing is stored."""
    _write({})


def failed(error: str) -> None:
    """It failed; what was stored before still is."""
    before = _read()
    _write({"time": before.get("time"), "revision": before.get("revision"), "error": error})


def told() -> dict[str, Any] | None:
    """`time`, `revision` and `error`, None where there is none; None before the first attempt."""
    found = _read()
    return {name: found.get(name) for name in ("time", "revision", "error")} if found else None


def _read() -> dict[str, Any]:
    try:
        found = json.loads(files.read(at(_RECORD)) or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _write(document: dict[str, Any]) -> None:
    if document.get("error"):
        document = {**document, "error": str(document["error"])[:LONGEST]}
    files.write(at(_RECORD), json.dumps({"running": False, **document}) + "\n")
