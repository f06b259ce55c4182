"""A client that writes all the time, and remembers what was acknowledged."""

import json
import time
from typing import Self

from lab.proofs.background import Background
from lab.proofs.kubernetes_api import Api
from lab.proofs.tls import RefusedError


class Writer(Background):
    """Counts up a ConfigMap through the load balancer while its context lasts."""

    pause = 0.2

    def __init__(self, api: Api, namespace: str, name: str) -> None:
        super().__init__()
        self._api, self._name = api, name
        self._collection = f"/api/v1/namespaces/{namespace}/configmaps"
        self._number, self._last = 0, 0.0
        self.acknowledged = 0
        """The highest number that the cluster promised to keep."""
        self.failed = 0
        """Requests that were answered with an error, or not at all."""
        self.stall = 0.0
        """Seconds of the longest time without a new acknowledgement."""

    def __enter__(self) -> Self:
        """Begin. Raises AssertionError when the first write is not acknowledged."""
        document = {"metadata": {"name": self._name}, "data": {"n": "0"}}
        answer = self._api.ask(self._collection, method="POST", document=document)
        assert answer.status == 201, answer.body
        self._last = time.monotonic()
        return super().__enter__()

    def __exit__(self, *_: object) -> None:
        """End; a stall that lasts until now counts."""
        super().__exit__()
        self._stalled()

    def kept(self) -> int:
        """The number that the cluster has."""
        answer = self._api.ask(f"{self._collection}/{self._name}")
        assert answer.status == 200, answer.body
        return int(json.loads(answer.body)["data"]["n"])

    def _step(self) -> None:
        self._number += 1
        if self._put(self._number):
            self.acknowledged = self._number
            self._last = self._stalled()
        else:
            self.failed += 1

    def _stalled(self) -> float:
        now = time.monotonic()
        self.stall = max(self.stall, now - self._last)
        return now

    def _put(self, number: int) -> bool:
        document = {"data": {"n": str(number)}}
        path = f"{self._collection}/{self._name}"
        try:
            return self._api.ask(path, method="PATCH", document=document).status == 200
        except (OSError, RefusedError):
            return False
