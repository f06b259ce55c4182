"""A plugin host: serve one gRPC service to the engine until the engine ends it."""

import os
import signal
from collections.abc import Callable
from concurrent import futures
from types import FrameType

import grpc

MESSAGE_LIMIT = 512 * 1024 * 1024
"""Bytes; the provider schema alone is above the default limit of 4 MiB."""

OPTIONS = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
]

WORKERS = 64
"""Calls served at once: the engine waits for a slow create in one call per resource."""

WATCH_SECONDS = 1.0
"""How often a host looks whether its engine is still there."""


def serve(register: Callable[[grpc.Server], None], end: Callable[[], None]) -> None:
    """Serve on a free loopback port, print it as the engine expects, end with the engine."""
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=WORKERS), options=OPTIONS)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")

    def stop(_number: int, _frame: FrameType | None) -> None:
        # The engine ends its hosts by SIGINT: no traceback, no waiting for calls nobody reads.
        end()
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    engine = os.getppid()
    server.start()
    print(port, flush=True)
    while server.wait_for_termination(timeout=WATCH_SECONDS):
        # An engine that was killed can end nobody; without this its hosts would stay for ever.
        if os.getppid() != engine:
            stop(signal.SIGTERM, None)
