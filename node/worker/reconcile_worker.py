"""`reconcile` of a worker: leave in time, join, and follow what operators set.

It runs every half minute on small machines, and does without boto3, whose import alone is half a
second of CPU there, unless there is something to ask AWS: a join token while there is no
certificate, the end of the launch once it has joined, and every few minutes what operators set.
"""

import time

from node import files
from node.contract import RUNTIME
from node.errors import NodeError
from node.machine import Machine
from node.settings import Settings, at
from node.steps import taken
from node.worker import drain, join_hook, join_token, termination

FOLLOWED = f"{RUNTIME}/followed"
"""When operators were last followed, in seconds of time.monotonic(), which begins again at boot."""
FOLLOW_SECONDS = 300
"""Between two looks at what operators set: their keys, the CA, the mirror."""


def run(settings: Settings, machine: Machine) -> str:
    """Take the steps that are due, each whatever comes of the others; what was done.

    NodeError on any other node, as `drain.run`, and in the end when a step failed.
    """
    worker = settings.worker
    if worker is None:
        raise NodeError(f"{settings.name} is no worker: run this on one")
    end, unknown_end = None, []
    try:
        end = termination.announced()
    except NodeError as error:
        unknown_end = [f"nobody knows whether this instance is to end: {error}"]
    if end:
        return drain.run(settings, worker, end)
    done = taken(
        (
            lambda: unknown_end,
            lambda: join_token.follow(settings, worker.api),
            lambda: join_hook.follow(settings, worker, machine),
            lambda: follow(settings),
        )
    )
    return "; ".join(done) or "nothing to do"


def follow(settings: Settings) -> list[str]:
    """Follow what operators set, when it is time; what was done, or what is wrong."""
    now = time.monotonic()
    try:
        if 0 <= now - float(files.read(at(FOLLOWED)) or "") < FOLLOW_SECONDS:
            return []
    except ValueError:
        pass
    files.write(at(FOLLOWED), f"{now}\n")
    # They need boto3.
    from node import operations  # noqa: PLC0415
    from node.worker import trust  # noqa: PLC0415

    try:
        done = trust.fetch(settings)
    except NodeError as error:
        done = [f"kept ca.crt: {error}"]
    return [*done, *operations.follow(settings)]
