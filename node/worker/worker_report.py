"""`report` of a worker: how it is, in a file of this machine and in a line of the journal.

Nothing is written to AWS: machines of a pool come and go, share one role, and are known to
Kubernetes, which says the same of them to everybody who asks.
"""

import json
from datetime import UTC, datetime

from node import files
from node.contract import WORKER_STATUS
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings, at
from node.worker import drain, identity, joining


def run(settings: Settings, machine: Machine) -> str:
    """Write the status; what it says. NodeError on any other node."""
    me = identity.known()
    state, reason = _state(settings, machine, me)
    status = {
        "state": state,
        "reason": reason,
        "node": me and me.name,
        "pool": settings.worker and settings.worker.pool,
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    files.write(at(WORKER_STATUS), json.dumps(status) + "\n")
    return f"{state}: {reason}" if reason else state


def _state(settings: Settings, machine: Machine, me: identity.Identity | None) -> tuple[str, str]:
    if settings.worker is None:
        raise NodeError(f"{settings.name} is no worker: run this on one")
    if under_way := drain.state():
        return "draining", under_way.said or "evicting the pods"
    if me is None:
        return "joining", "this machine is not prepared: journalctl -u node-prepare"
    if reason := joining.why_not(settings, settings.worker, me, machine):
        return "joining", reason
    return "joined", joining.remark()
