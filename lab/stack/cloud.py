"""An emulated AWS that fits the stack's state: both live, or both begin anew."""

import os
from collections.abc import Callable
from typing import Any

from lab.cloud import client, inventory, server
from lab.cloud.server import Server
from lab.stack.checkpoint import Checkpoint
from lab.workspace import Workspace

Say = Callable[[str], None]


def clients(running: Server) -> inventory.Clients:
    """Makes boto3 clients of a running emulator."""
    session: Any = client.session()  # a client made by name has no type
    return lambda service: session.client(service, endpoint_url=running.endpoint)


def provide(workspace: Workspace, checkpoint: Checkpoint, say: Say) -> Server:
    """The running emulator, or a new one; raises LabError.

    The emulator's memory is the account, so the state of a stack whose emulator is gone describes
    nothing. And what an operation did that was cut off is unknown: a second attempt could find its
    own first one in the way.
    """
    running = server.find(workspace.state)
    if running and not running.answers():
        say("the AWS emulator does not answer any more: starting a new one")
        running.stop()
        running = None
    if running and _unknown(running, checkpoint, say):
        running.stop()
        running = None
    if running:
        say(f"continuing with the AWS emulator at {running.endpoint}")
        return running
    if checkpoint.resources() or checkpoint.pending():
        say("the emulated account of the last run is gone: starting clean")
        checkpoint.remove()
    started = server.start(workspace.state, server.port_from(dict(os.environ)))
    say(f"AWS emulator at {started.endpoint}")
    return started


def _unknown(running: Server, checkpoint: Checkpoint, say: Say) -> bool:
    pending = checkpoint.pending()
    if pending:
        say(f"the last run was killed within {pending} operations, whose effect is unknown")
        return True
    if not checkpoint.resources() and inventory.remaining(clients(running)):
        say("the emulated account holds resources that no stack knows")
        return True
    return False
