"""Requests to the API servers, through the load balancer, as the kubelet of this worker."""

import json
import ssl
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from node.contract import KUBELET_CERTIFICATE
from node.errors import NodeError
from node.settings import Settings, at

SECONDS = 15
"""For an answer. An eviction takes up to ten: the API server retries conflicts with the budget
(EvictionsRetry, 20 times 0.5 s)."""


class SilentError(NodeError):
    """No answer, or none that counts: 5xx of a load balancer or of an API server without etcd."""


class RefusedError(NodeError):
    """An answer of an API server that is no success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the API server answered {status}: {message}")
        self.status = status
        self.message = message


class KubernetesApi:
    """One connection, kept for several requests; made anew whenever the certificate may be."""

    def __init__(self, url: str, context: ssl.SSLContext, token: str | None = None) -> None:
        parts = urlsplit(url)
        self._connection = HTTPSConnection(
            parts.hostname or "", parts.port or 443, timeout=SECONDS, context=context
        )
        self._url = url
        self._headers = {"Accept": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """End the connection; for contextlib.closing."""
        self._connection.close()

    def get(self, path: str) -> Any:  # noqa: ANN401  JSON
        """Read an object or a list. Raises SilentError or RefusedError."""
        return self._ask("GET", path, None, {})

    def post(self, path: str, document: Any) -> Any:  # noqa: ANN401  JSON
        """Create what a path stands for. Raises SilentError or RefusedError."""
        return self._ask("POST", path, document, {"Content-Type": "application/json"})

    def patch(self, path: str, document: Any) -> Any:  # noqa: ANN401  JSON
        """Change the fields of a document, by a merge patch. Raises SilentError or RefusedError."""
        return self._ask("PATCH", path, document, {"Content-Type": "application/merge-patch+json"})

    def _ask(self, method: str, path: str, document: Any, headers: dict[str, str]) -> Any:  # noqa: ANN401  JSON
        body = None if document is None else json.dumps(document)
        try:
            self._connection.request(method, path, body, {**self._headers, **headers})
            response = self._connection.getresponse()
            text = response.read().decode(errors="replace")
        except (OSError, HTTPException) as error:
            self._connection.close()
            raise SilentError(f"{self._url} does not answer: {error!r}") from error
        try:
            answer = json.loads(text)
        except ValueError:
            answer = text
        if 200 <= response.status < 300:
            return answer
        raise _failure(response.status, answer)


def _failure(status: int, answer: Any) -> NodeError:  # noqa: ANN401  JSON
    """What an answer means. An eviction gets 500 where two budgets cover a pod: no outage."""
    message = answer
    if isinstance(answer, dict):
        causes = (answer.get("details") or {}).get("causes") or []
        message = " ".join(
            str(part)
            for part in (answer.get("message"), *(cause.get("message") for cause in causes))
            if part
        )
        if status < 502 and "PodDisruptionBudget" in message:
            return RefusedError(status, message)
    said = " ".join(str(message).split())[:300]
    if status >= 500:
        return SilentError(f"the API server answered {status}: {said}")
    return RefusedError(status, said)


def trust(settings: Settings) -> ssl.SSLContext:
    """What vouches for an API server. Raises NodeError without a CA."""
    try:
        return ssl.create_default_context(cafile=str(settings.pki / "ca.crt"))
    except OSError as error:
        raise NodeError(
            f"{settings.pki}/ca.crt cannot be used ({error}): run ha-node prepare"
        ) from error


def as_kubelet(settings: Settings, url: str) -> KubernetesApi:
    """The API as the kubelet of this worker. Raises NodeError without its certificate."""
    context, certificate = trust(settings), at(KUBELET_CERTIFICATE)
    try:
        context.load_cert_chain(certificate, password="")
    except OSError as error:
        raise NodeError(f"{certificate} cannot be used ({error})") from error
    return KubernetesApi(url, context)
