"""Small HTTP requests to this machine and to its metadata service, never through a proxy."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

from node.errors import NodeError


def ask(
    connection: HTTPConnection, path: str, method: str = "GET", headers: Mapping[str, str] = {}
) -> str:
    """The body of an answer. Raises NodeError for no answer and for any status but 200."""
    try:
        connection.request(method, path, headers=dict(headers))
        response = connection.getresponse()
        body = response.read().decode()
    except (OSError, HTTPException) as error:
        raise NodeError(f"{connection.host} did not answer: {error!r}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise NodeError(f"{connection.host} answered {response.status} to {path}")
    return body
