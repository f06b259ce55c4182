"""Word to AWS that this worker has joined, which the launch of its instance waits for."""

from node import files
from node.contract import INTERVAL_SECONDS, JOIN_SECONDS, RUNTIME
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings, WorkerSettings, at
from node.worker import identity, joining

ASKED = f"{RUNTIME}/join-hook"
"""How often AWS was told, as far as TRIES; gone after a reboot, when nothing waits any more."""
TRIES = JOIN_SECONDS // INTERVAL_SECONDS
"""Times that AWS may say that nothing waits before it is believed, a step apart: a group sees that
its instance runs a while after it does, and gives up a launch that nobody completes."""


def follow(settings: Settings, worker: WorkerSettings, machine: Machine) -> list[str]:
    """Tell AWS once this worker has joined; what was done, or what is wrong."""
    asked = _asked()
    if asked >= TRIES:
        return []
    me = identity.known()
    if me is None or joining.why_not(settings, worker, me, machine):
        return []
    # boto3 costs half a second of CPU, and is needed for this only once.
    from node.worker.lifecycle_hook import LifecycleHook  # noqa: PLC0415

    try:
        waited = LifecycleHook(worker.join_hook, settings, worker, me).complete()
    except NodeError as error:
        return [f"joined, and nobody could tell the group of this instance: {error}"]
    files.write(at(ASKED), f"{TRIES if waited else asked + 1}\n")
    return ["joined: this instance goes into service"] if waited else []


def _asked() -> int:
    try:
        return int(files.read(at(ASKED)) or "")
    except ValueError:
        return 0
