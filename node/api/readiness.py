"""Readiness of the API server, asked without credentials."""

import ssl
from http.client import HTTPSConnection

from node import web
from node.contract import API_PORT
from node.errors import NodeError
from node.settings import Settings

PORT = API_PORT


def report(settings: Settings) -> dict[str, object]:
    """The API server's part of the status."""
    try:
        trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trust.load_verify_locations(settings.pki / "ca.crt")
        web.ask(HTTPSConnection("127.0.0.1", PORT, timeout=5, context=trust), "/readyz")
    except (NodeError, OSError):
        return {"state": "waiting", "healthy": False}
    return {"state": "ready", "healthy": True}
