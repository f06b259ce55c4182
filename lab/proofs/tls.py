"""TLS from a place in the VPC, with a certificate of one's choice.

The socket is made in the namespace, everything else happens here; so keys stay in this process.
"""

import os
import socket
import ssl
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection, RemoteDisconnected

from lab.machines.network import namespaces

SECONDS = 20.0
"""Within which a server answers on a busy machine."""


class RefusedError(Exception):
    """The server ended the connection because of the certificate."""


@dataclass(frozen=True)
class Identity:
    """A certificate with its key, in PEM."""

    certificate: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: str


@dataclass(frozen=True)
class Server:
    """A server as seen from a place."""

    namespace: str
    """Where connections come from."""
    address: str
    port: int
    name: str
    """The name that its certificate must have."""
    ca: str
    """Who must have signed it, in PEM."""
    patience: float = SECONDS
    """Seconds without a word after which a request has failed."""

    def ask(
        self,
        path: str,
        identity: Identity | None = None,
        *,
        method: str = "GET",
        body: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own.

        Raises RefusedError when the certificate is not accepted, OSError when nobody answers.
        """
        with closing(_Connection(self, _context(self.ca, identity))) as connection:
            try:
                connection.request(method, path, body=body, headers=dict(headers or {}))
                answer = connection.getresponse()
                return Answer(answer.status, answer.read().decode(errors="replace"))
            except RemoteDisconnected:
                raise
            except (ssl.SSLError, ConnectionResetError, BrokenPipeError) as error:
                # In TLS 1.3 a client learns that its certificate was refused when it reads.
                raise RefusedError(str(error)) from error
            except HTTPException as error:
                raise ConnectionError(f"half an answer: {error!r}") from error


class _Connection(HTTPSConnection):
    def __init__(self, server: Server, context: ssl.SSLContext) -> None:
        # Without a context it loads all CAs of this computer, 20 ms of CPU for each connection.
        super().__init__(server.address, server.port, timeout=server.patience, context=context)
        self._server, self._trust = server, context

    def connect(self) -> None:
        """From the namespace, for the server's name."""
        server = self._server
        raw = namespaces.inside(
            server.namespace,
            lambda: socket.create_connection((server.address, server.port), server.patience),
        )
        self.sock = self._trust.wrap_socket(raw, server_hostname=server.name)


def _context(ca: str, identity: Identity | None) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=ca)
    if identity:
        # OpenSSL takes certificates from files only; this one is on no disk.
        descriptor = os.memfd_create("identity")
        try:
            os.write(descriptor, f"{identity.certificate}\n{identity.key}\n".encode())
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
    return context
