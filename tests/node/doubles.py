"""Stand-ins for what surrounds a node: metadata service, mirror, systemd."""

import http.server
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

from node.machine import Machine


@contextmanager
def serve(
    handler: type[http.server.BaseHTTPRequestHandler], tls: ssl.SSLContext | None = None
) -> Iterator[int]:
    """Serve on a free loopback port; the port."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Quiet(http.server.BaseHTTPRequestHandler):
    """Answers without writing a log."""

    def log_message(self, *args: object) -> None:
        pass

    def reply(self, status: int, body: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)


class Metadata(Quiet):
    """IMDSv2: nothing without a token, no token without a lifetime."""

    items: ClassVar = {"local-ipv4": "10.0.224.4", "instance-id": "i-0abc"}

    def do_PUT(self) -> None:
        if self.path == "/latest/api/token" and self.headers.get(
            "X-aws-ec2-metadata-token-ttl-seconds"
        ):
            self.reply(200, b"the-token")
        else:
            self.reply(400)

    def do_GET(self) -> None:
        if self.headers.get("X-aws-ec2-metadata-token") != "the-token":
            self.reply(401)
        else:
            item = self.items.get(self.path.removeprefix("/latest/meta-data/"))
            self.reply(200, item.encode()) if item else self.reply(404)


class FakeMachine(Machine):
    """Remembers what it was told to do; a service runs once it was started."""

    def __init__(self) -> None:
        self.mounts: set[Path] = set()
        self.running: set[str] = set()
        self.calls: list[str] = []
        self.since: dict[str, int] = {}
        self.device_bytes = 0

    def active(self, unit: str) -> bool:
        return unit in self.running

    def started(self, unit: str) -> int | None:
        return self.since.get(unit)

    def active_since(self, unit: str) -> float | None:
        return self.since.get(unit)

    def kill(self, unit: str) -> None:
        self.calls.append(f"kill {unit}")

    def start(self, unit: str) -> None:
        self.calls.append(f"start {unit}")
        self.running.add(unit)

    def stop(self, unit: str) -> None:
        self.calls.append(f"stop {unit}")
        self.running.discard(unit)

    def reload(self, unit: str) -> None:
        self.calls.append(f"reload {unit}")
        self.running.add(unit)

    def rename(self, hostname: str) -> None:
        self.calls.append(f"rename {hostname}")

    def mounted(self, path: Path) -> bool:
        return path in self.mounts

    def capacity(self, mount: Path) -> int:
        return self.device_bytes

    def grow(self, mount: Path, size: int) -> None:
        self.calls.append(f"grow {mount.name} to {size}")

    def mount(self, path: Path) -> None:
        self.calls.append(f"mount {path.name}")
        self.mounts.add(path)
