"""A download site on loopback that serves one plugin, well or badly."""

import io
import ssl
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PROGRAM = b"#!/bin/sh\necho plugin\n"


def archive(program: str) -> bytes:
    """A release of a plugin: a tar.gz with its program."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        entry = tarfile.TarInfo(program)
        entry.size, entry.mode = len(PROGRAM), 0o755
        tar.addfile(entry, io.BytesIO(PROGRAM))
    return content.getvalue()


@dataclass
class Site:
    """What it serves, how, and what it was asked for."""

    content: bytes = b""
    fault: str = ""
    """"absent", "stalled", "truncated", "damaged"."""
    asked: list[str] = field(default_factory=list)
    """"host path" of each request, also of those to a proxy."""
    port: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/plugins"

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        self.asked.append(f"{handler.headers['Host']} {handler.path}")
        handler.close_connection = True
        if self.fault == "absent":
            handler.send_error(404)
            return
        body, half = self.content, len(self.content) // 2
        if self.fault == "damaged":
            body = (
                body[:half]
                + bytes(byte ^ 0xFF for byte in body[half : half + 8])
                + body[half + 8 :]
            )
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:half])
        if self.fault == "truncated":
            return
        if self.fault == "stalled":
            handler.wfile.flush()
            self.ended.wait()
        handler.wfile.write(body[half:])


@contextmanager
def serving(site: Site, tls: tuple[Path, Path] | None = None) -> Iterator[Site]:
    """Serve it; with a certificate and its key, as a proxy before every HTTPS site as well."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.answer(self)

        def do_CONNECT(self) -> None:
            assert tls is not None
            self.send_response(200)
            self.end_headers()
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(*tls)
            with context.wrap_socket(self.connection, server_side=True) as inner:
                type(self)(inner, self.client_address, self.server)
            self.close_connection = True

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
