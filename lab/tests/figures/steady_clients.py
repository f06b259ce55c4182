"""Clients of an API server that write and read one object each, without a pause."""

import threading
import time
from dataclasses import dataclass

from node.errors import NodeError
from tests.node.controlplane import ApiNode, ControlPlane

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
SECRETS = "/api/v1/namespaces/default/secrets"


@dataclass(frozen=True)
class Outcome:
    """What the clients saw, all together."""

    requests: int
    errors: int
    """Requests that were not answered with 200."""
    longest: float
    """Seconds of the longest request."""
    lost: int
    """Objects that are older than the last write that was acknowledged."""


class Load:
    """Writers of config maps and secrets, half and half; each write is read back in turn."""

    def __init__(self, plane: ControlPlane, server: ApiNode, clients: int = 6) -> None:
        self._server, self._client = server, plane.client("load", "system:masters")
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._took: list[float] = []
        self._errors: list[str] = []
        self._acknowledged: dict[str, int] = {}
        # Of its own: whatever another load writes would look as if it were lost here.
        names = [f"load-{server.name}-{n}" for n in range(clients)]
        paths = [(SECRETS if n % 2 else CONFIG_MAPS, name) for n, name in enumerate(names)]
        for path, name in paths:
            self._create(path, name)
        self._threads = [threading.Thread(target=self._work, args=one) for one in paths]
        for thread in self._threads:
            thread.start()

    def end(self) -> Outcome:
        """Stop, and compare what is stored with what was acknowledged."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        lost = sum(self._stored(path) < number for path, number in self._acknowledged.items())
        return Outcome(len(self._took), len(self._errors), max(self._took), lost)

    def _create(self, path: str, name: str) -> None:
        try:
            self._server.call(self._client, "POST", path, _body(path, name, 0))
        except NodeError as error:
            if "answered 201" not in str(error) and "answered 409" not in str(error):
                raise

    def _stored(self, path: str) -> int:
        found = self._server.call(self._client, "GET", path)
        return int(found["metadata"]["labels"]["number"])

    def _work(self, path: str, name: str) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            if self._timed("PUT", f"{path}/{name}", _body(path, name, number)):
                with self._lock:
                    self._acknowledged[f"{path}/{name}"] = number
            self._timed("GET", f"{path}/{name}")

    def _timed(self, method: str, path: str, body: object = None) -> bool:
        began, trouble = time.monotonic(), ""
        try:
            self._server.call(self._client, method, path, body)
        except NodeError as error:
            trouble = str(error)
        with self._lock:
            self._took.append(time.monotonic() - began)
            if trouble:
                self._errors.append(trouble)
        return not trouble


def _body(path: str, name: str, number: int) -> dict[str, object]:
    value = "stringData" if path == SECRETS else "data"
    return {"metadata": {"name": name, "labels": {"number": f"{number}"}}, value: {"a": "b"}}
