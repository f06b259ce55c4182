"""The front end on its sockets: TLS with a certificate for whatever name the client asked for."""

import socket
import ssl
import tempfile
import threading
from functools import cache
from typing import TYPE_CHECKING, Any

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from lab.machines.lab_ca import CertificateAuthority

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

HANDSHAKE_SECONDS = 10.0
IDLE_SECONDS = 60.0


class Certificates:
    """A TLS context per name, made when the name is first asked for."""

    def __init__(self, ca: CertificateAuthority) -> None:
        self._ca = ca
        self._lock = threading.Lock()
        self._for = cache(self._make)

    def context(self) -> ssl.SSLContext:
        """What a listener begins a handshake with."""
        context = self._for("lab.invalid")
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject, name: str | None, _: ssl.SSLContext) -> None:
        if name:
            with self._lock:
                connection.context = self._for(name)

    def _make(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # OpenSSL takes certificates from files only.
        with tempfile.NamedTemporaryFile() as file:
            file.write(self._ca.issue((name,)))
            file.flush()
            context.load_cert_chain(file.name)
        return context


class _Handler(WSGIRequestHandler):
    server_version, sys_version = "lab", ""
    timeout = IDLE_SECONDS

    def handle_expect_100(self) -> bool:
        """Nothing: werkzeug sends it, and twice would be once too often."""
        return True

    def log_request(self, *_: object) -> None:
        """Nothing: what was refused is logged by the application."""

    def log_error(self, *_: object) -> None:
        """Nothing: machines come and go."""

    def make_environ(self) -> dict[str, Any]:
        """As werkzeug's, which would look for a context of its own to tell the scheme."""
        return super().make_environ() | {"wsgi.url_scheme": "https"}


class _Server(ThreadedWSGIServer):
    daemon_threads = True
    context: ssl.SSLContext

    def process_request_thread(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - of the base class
        """Shake hands in the connection's own thread: a machine that falls silent in the middle
        of it must not keep the others waiting."""
        request.settimeout(HANDSHAKE_SECONDS)
        try:
            secured = self.context.wrap_socket(request, server_side=True)
        except OSError:
            self.shutdown_request(request)
            return
        super().process_request_thread(secured, client_address)

    def handle_error(self, *_: object) -> None:
        """Nothing: a client that goes away is no news."""


def serve(
    listener: socket.socket, application: "WSGIApplication", ca: CertificateAuthority
) -> ThreadedWSGIServer:
    """Serve in a thread until `shutdown`."""
    host, port = listener.getsockname()[:2]
    server = _Server(host, port, application, _Handler, fd=listener.fileno())
    server.context = Certificates(ca).context()
    threading.Thread(target=server.serve_forever, name=f"frontend-{host}", daemon=True).start()
    return server
