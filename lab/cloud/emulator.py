"""The server process: `python -m lab.cloud.emulator` binds, detaches, writes its identity, and
serves.

It detaches itself into a session of its own, so that a Ctrl-C in the terminal cannot end it in the
middle of a request: its memory is the account, and an account that is gone takes the stack's state
with it.
"""

import argparse
import errno
import os
import signal
import socket
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lab.processes import ProcessIdentity, identify

HOST = "127.0.0.1"
PORT_IN_USE = 3
"""Exit code when another process listens on the port."""

FILE = "emulator.json"
"""Below the state directory: which process is its emulator."""

IMAGES = Path(__file__).with_name("images.json")


@dataclass(frozen=True)
class ServerIdentity(ProcessIdentity):
    """The server's process and port."""

    port: int


def main() -> int:
    """Bind the port, then leave the server behind and return at once.

    Raises OSError for any trouble with the port that is not PORT_IN_USE.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--directory", type=Path, required=True)
    arguments = parser.parse_args()
    try:
        # Bound before detaching: a port in use is the caller's exit code, and nobody can take the
        # port in between.
        listener = socket.create_server((HOST, arguments.port), backlog=128)
    except OSError as error:
        if error.errno in {errno.EADDRINUSE, errno.EACCES}:
            return PORT_IN_USE
        raise
    if os.fork():
        return 0
    os.setsid()
    _redirect(arguments.directory / "emulator.log")
    process = identify(os.getpid())
    if process is None:
        return 1
    port = listener.getsockname()[1]
    ServerIdentity(process.pid, process.started, port).save(arguments.directory / FILE)
    _serve(listener, port)
    return 0


def _redirect(log: Path) -> None:
    """The log holds request lines and tracebacks, so only its owner reads it."""
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)


def _serve(listener: socket.socket, port: int) -> None:
    # moto reads its settings while it is imported, so they come first.
    os.environ.update(
        MOTO_AMIS_PATH=str(IMAGES),
        MOTO_ENABLE_AMI_VALIDATION="true",
        MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION="true",
        MOTO_PORT=str(port),
    )
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - after its settings
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server  # noqa: PLC0415 - with moto

    from lab.cloud.change_counter import Changes  # noqa: PLC0415 - with moto
    from lab.cloud.control_api import Control  # noqa: PLC0415 - patches moto
    from lab.cloud.corrections import auto_scaling_groups  # noqa: PLC0415 - patches moto
    from lab.cloud.replay import Replay  # noqa: PLC0415 - with moto
    from lab.cloud.requests import Requests  # noqa: PLC0415 - with moto

    services = DomainDispatcherApplication(create_backend_app)
    # moto lists its own directory to answer this, for every request.
    services.get_backend_for_host = cache(services.get_backend_for_host)  # type: ignore[method-assign]
    server = make_server(
        HOST,
        port,
        Control(Requests(Changes(Replay(services)))),
        threaded=True,
        request_handler=MotoRequestHandler,
        fd=listener.fileno(),
    )
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    auto_scaling_groups.run_by_the_clock()
    server.serve_forever()


if __name__ == "__main__":
    sys.exit(main())
