"""An emulated AWS that fits the stack's state: both live, or both begin again."""

import os
import threading
from collections.abc import Callable
from typing import Any

from lab.cloud import aws_environment, emulator_server
from lab.cloud.emulator_server import Server
from lab.machines.account import Clients
from lab.stack.checkpoint import Checkpoint
from lab.workspace import Workspace

Say = Callable[[str], None]


def clients(running: Server) -> Clients:
    """Makes boto3 clients of a running emulator."""
    return clients_at(running.endpoint)


def clients_at(endpoint: str) -> Clients:
    """Makes boto3 clients of an emulator at an address; each is made once."""
    session: Any = aws_environment.session()  # a client made by name has no type
    # boto3 makes clients from shared state that threads must not touch at once.
    lock = threading.Lock()
    made: dict[str, Any] = {}

    def make(service: str) -> Any:  # noqa: ANN401 - a client made by name has no type
        with lock:
            if service not in made:
                made[service] = session.client(service, endpoint_url=endpoint)
            return made[service]

    return make


def provide(workspace: Workspace, checkpoint: Checkpoint, say: Say) -> Server:
    """The running emulator, or a new one; raises LabError.

    The emulator's memory is the account, so the state of a stack whose emulator is gone describes
    nothing. And what an operation did that was cut off is unknown: a second attempt could find its
    own first one in the way.
    """
    running = emulator_server.find(workspace.state)
    reason = _no_fit(running, checkpoint)
    if reason:
        say(f"{reason}: starting clean")
        if running:
            running.stop()
        checkpoint.remove()
    elif running:
        say(f"continuing with the AWS emulator at {running.endpoint}")
        return running
    started = emulator_server.start(workspace.state, emulator_server.port_from(dict(os.environ)))
    say(f"AWS emulator at {started.endpoint}")
    return started


def _no_fit(running: Server | None, checkpoint: Checkpoint) -> str | None:
    """Why the emulator and the stack's state cannot go on together."""
    resources, pending = checkpoint.resources(), checkpoint.pending()
    if running is None:
        gone = "the emulated account of the last run is gone"
        return gone if resources or pending else None
    if not running.answers():
        return "the AWS emulator does not answer any more"
    if pending:
        return f"the last run was killed within {pending} operations, whose effect is unknown"
    if not resources and running.inventory():
        return "the emulated account holds resources that the stack does not know"
    return None
