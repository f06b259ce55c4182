"""A client that writes all the time, and remembers what was acknowledged."""

import json
import threading
import time
from types import TracebackType
from typing import Self

from lab.proofs.api import Api
from lab.proofs.tls import RefusedError

PAUSE = 0.2


class Writer:
    """Counts up a ConfigMap through the balancer while its context lasts."""

    def __init__(self, api: Api, namespace: str, name: str) -> None:
        self._api, self._name = api, name
        self._collection = f"/api/v1/namespaces/{namespace}/configmaps"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write, name="writer", daemon=True)
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
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._stop.set()
        self._thread.join()

    def kept(self) -> int:
        """The number that the cluster has."""
        answer = self._api.ask(f"{self._collection}/{self._name}")
        assert answer.status == 200, answer.body
        return int(json.loads(answer.body)["data"]["n"])

    def _write(self) -> None:
        number, last = 0, time.monotonic()
        while not self._stop.is_set():
            number += 1
            if self._put(number):
                self.acknowledged = number
                now = time.monotonic()
                self.stall, last = max(self.stall, now - last), now
            else:
                self.failed += 1
            self._stop.wait(PAUSE)
        self.stall = max(self.stall, time.monotonic() - last)

    def _put(self, number: int) -> bool:
        document = {"data": {"n": str(number)}}
        path = f"{self._collection}/{self._name}"
        try:
            return self._api.ask(path, method="PATCH", document=document).status == 200
        except (OSError, RefusedError):
            return False
