"""A TCP relay whose connections a test can end, slow down or freeze."""

import socket
import threading
import time
from contextlib import suppress


class Relay:
    """Between clients and one server; `rate` is bytes a second of each direction, None for no
    limit."""

    def __init__(
        self, address: str, port: int, target: tuple[str, int], rate: int | None = None
    ) -> None:
        self._target = target
        self._rate = rate
        self.passed = 0
        """Bytes that went through."""
        self.freeze_after: int | None = None
        """Bytes after which nothing goes through any more, without a word."""
        self._open: list[socket.socket] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server((address, port))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """End every connection."""
        with self._lock:
            ended, self._open = self._open, []
        for end in ended:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target, timeout=10)
            except OSError:
                client.close()
                continue
            server.settimeout(None)
            with self._lock:
                self._open += [client, server]
            for ends in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=ends, daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            began, passed = time.monotonic(), 0
            while data := source.recv(65536):
                while self.freeze_after is not None and self.passed > self.freeze_after:
                    time.sleep(0.05)
                passed += len(data)
                self.passed += len(data)
                if self._rate:
                    time.sleep(max(0.0, began + passed / self._rate - time.monotonic()))
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
        source.close()
