"""What HAProxy sees of an etcd member: a port with connections that last, and its health."""

import http.server
import socket
import socketserver
import threading
import time
from contextlib import suppress
from typing import ClassVar

from tests.node.doubles import Quiet


class _Echo(socketserver.BaseRequestHandler):
    """Tells who it is, and answers each line until the client goes."""

    def handle(self) -> None:
        name = self.server.name  # type: ignore[attr-defined]
        self.server.backend.connections += 1  # type: ignore[attr-defined]
        with suppress(OSError), self.request.makefile("rwb", buffering=0) as stream:
            while line := stream.readline():
                stream.write(name.encode() + b" " + line)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class Backend:
    """A member; `healthy` is what its health check will find, after as many seconds as it takes."""

    def __init__(self, name: str, address: str, *, healthy: bool = True) -> None:
        self.name, self.address, self.healthy = name, address, healthy
        self.connections, self.seconds = 0, 0.0
        backend = self

        class Health(Quiet):
            paths: ClassVar[set[str]] = set()

            def do_GET(self) -> None:
                self.paths.add(self.path)
                time.sleep(backend.seconds)
                self.reply(200 if backend.healthy else 503)

        self.asked = Health.paths
        self._servers = [
            _Server((address, 2379), _Echo),
            http.server.ThreadingHTTPServer((address, 2381), Health),
        ]
        self._servers[0].name, self._servers[0].backend = name, self  # type: ignore[attr-defined]
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


class Client:
    """A connection through the proxy, kept until it is closed."""

    def __init__(self, address: str) -> None:
        self._socket = socket.create_connection((address, 2379), timeout=10)
        self._stream = self._socket.makefile("rwb", buffering=0)
        try:
            self.member = self.ask()
        except OSError:
            self.close()
            raise

    def ask(self) -> str:
        """The member that answers; ConnectionError when the connection was ended."""
        self._stream.write(b"hello\n")
        answer = self._stream.readline()
        if not answer:
            raise ConnectionResetError("the proxy ended the connection")
        return answer.split()[0].decode()

    def alive(self) -> bool:
        try:
            return self.ask() == self.member
        except OSError:
            return False

    def close(self) -> None:
        self._stream.close()
        self._socket.close()
