"""The metadata service on its socket; an instance is known by its address."""

import contextlib
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lab.machines.account import Instance
from lab.machines.metadata.metadata_service import Service

Find = Callable[[str], Instance | None]
"""The instance that has an address."""

IDLE_SECONDS = 30.0
"""After which a connection without a request is closed."""


def serve(listener: socket.socket, service: Service, find: Find) -> ThreadingHTTPServer:
    """Serve in a thread until `shutdown`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version, sys_version = "EC2ws", ""
        timeout = IDLE_SECONDS

        def _respond(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.rfile.read(int(headers.get("content-length") or 0))
            instance = find(self.client_address[0])
            answer = service.answer(instance, self.command, self.path, headers)
            if answer.hop_limit is not None:
                self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, answer.hop_limit)
            self.send_response(answer.status)
            for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _respond  # noqa: N815 - names of the base class

        def log_message(self, *_: object) -> None:
            """Nothing: tokens and keys pass here."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """Nothing: a machine that goes away in the middle of an answer is no news."""

    server = Server(("", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    thread = threading.Thread(target=server.serve_forever, name="metadata", daemon=True)
    thread.start()
    return server


def close(server: ThreadingHTTPServer) -> None:
    """End it."""
    with contextlib.suppress(OSError):
        server.shutdown()
        server.server_close()
