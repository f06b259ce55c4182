"""Small HTTP requests to this machine and to its metadata service, never through a proxy."""

from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

from node.errors import NodeError


class StatusError(NodeError):
    """An answer that is not 200."""

    def __init__(self, host: str, path: str, status: int) -> None:
        super().__init__(f"{host} answered {status} to {path}")
        self.status = status


def ask(
    connection: HTTPConnection,
    path: str,
    method: str = "GET",
    headers: Mapping[str, str] = {},
    body: str | None = None,
) -> str:
    """The body of an answer. Raises NodeError for no answer, StatusError for any status but 200."""
    try:
        connection.request(method, path, body, headers=dict(headers))
        response = connection.getresponse()
        answer = response.read().decode()
    except (OSError, HTTPException) as error:
        raise NodeError(f"{connection.host} did not answer: {error!r}") from error
    finally:
        connection.close()
    if response.status != 200:
        raise StatusError(connection.host, path, response.status)
    return answer
