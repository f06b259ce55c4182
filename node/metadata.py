"""Metadata of the instance that the agent runs on (IMDSv2)."""

import os
from http.client import HTTPConnection
from urllib.parse import urlsplit

from node import web

SECONDS = 3
"""For an answer of the service, which is on this machine's own host."""


def metadata(item: str) -> str:
    """One item, such as local-ipv4. Raises NodeError when there is none, or no answer."""
    endpoint = os.environ.get("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254")

    def ask(path: str, method: str, headers: dict[str, str]) -> str:
        connection = HTTPConnection(urlsplit(endpoint).netloc, timeout=SECONDS)
        return web.ask(connection, f"/latest/{path}", method, headers)

    token = ask("api/token", "PUT", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    return ask(f"meta-data/{item}", "GET", {"X-aws-ec2-metadata-token": token})


def if_any(item: str) -> str | None:
    """One item; None when the instance has none. Raises NodeError when the service is away."""
    try:
        return metadata(item)
    except web.StatusError as error:
        if error.status == 404:
            return None
        raise
