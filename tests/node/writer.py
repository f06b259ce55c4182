"""A client that writes steadily, and remembers what was acknowledged."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, Protocol

ATTEMPT_SECONDS = 10.0
"""What one write may take at most, all attempts together, before it counts as failed."""
REQUEST_SECONDS = 2.0
"""After which the next member is tried."""
PAUSE = 0.05
"""Seconds between two writes; an election takes a second."""


def _coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class _Kept(HTTPSConnection):
    """It ends when nobody has it any more."""

    def __del__(self) -> None:
        self.close()


@dataclass
class Gateway:
    """etcd's own JSON gateway, with mutual TLS, at whichever endpoint answers."""

    pki: Path
    endpoints: Callable[[], Sequence[str]]
    """Addresses of the members that a client knows of now."""
    seconds: float = 30
    """That a request may take."""
    _at: int = 0
    _mine: threading.local = field(default_factory=threading.local)
    """A thread's connection, which is kept as API servers keep theirs."""

    def __post_init__(self) -> None:
        self._tls = ssl.create_default_context(cafile=str(self.pki / "ca.crt"))
        self._tls.load_cert_chain(self.pki / "server.crt", self.pki / "server.key")

    def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One request to the endpoint that answered last; the next one is taken after a failure."""
        known = self.endpoints()
        if not known:
            raise OSError("no member is there")
        address = known[self._at % len(known)]
        connection = getattr(self._mine, "connection", None)
        if connection is None or connection.host != address:
            connection = _Kept(address, 2379, timeout=self.seconds, context=self._tls)
            self._mine.connection = connection
        try:
            connection.request("POST", path, json.dumps(body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (OSError, HTTPException, ValueError):
            connection.close()
            self._at += 1
            raise OSError("no answer") from None
        if response.status != 200:
            self._at += 1
            raise OSError(str(answer))
        return dict(answer)

    def put(self, key: str, value: str) -> None:
        """Write a key; OSError when it was not acknowledged."""
        self.ask("/v3/kv/put", {"key": _coded(key), "value": _coded(value)})

    def keys(self, prefix: str) -> dict[str, str]:
        """Every key below a prefix, by a linearizable read."""
        end = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        give_up = time.monotonic() + 30
        while True:
            try:
                found = self.ask("/v3/kv/range", {"key": _coded(prefix), "range_end": _coded(end)})
                break
            except OSError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(0.1)
        return {
            base64.b64decode(kv["key"]).decode(): base64.b64decode(kv["value"]).decode()
            for kv in found.get("kvs", ())
        }


class Store(Protocol):
    """What a writer writes to."""

    seconds: float
    """That a request may take."""

    def put(self, key: str, value: str) -> None:
        """Write a key; OSError when it was not acknowledged."""

    def keys(self, prefix: str) -> dict[str, str]:
        """Every key below a prefix."""


@dataclass
class Writer:
    """Writes one key after the other, each retried until it is acknowledged, in a thread."""

    store: Store
    acknowledged: list[str] = field(default_factory=list)
    failed: int = 0
    stalls: list[float] = field(default_factory=list)
    """Seconds from the first attempt of each write to its acknowledgement."""

    def __enter__(self) -> "Writer":
        self.store.seconds = REQUEST_SECONDS
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def take(self) -> tuple[float, int]:
        """The longest stall and the failed writes since the last call."""
        longest, failed = max(self.stalls, default=0.0), self.failed
        self.stalls.clear()
        self.failed = 0
        return longest, failed

    def lost(self) -> set[str]:
        """Acknowledged writes that are not there."""
        return set(self.acknowledged) - set(self.store.keys("written/"))

    def _write(self) -> None:
        number = 0
        while not self._ended.is_set():
            number += 1
            key = f"written/{number:08}"
            began = time.monotonic()
            while True:
                try:
                    self.store.put(key, "x")
                except OSError:
                    if time.monotonic() - began > ATTEMPT_SECONDS or self._ended.is_set():
                        self.failed += not self._ended.is_set()
                        break
                    time.sleep(0.02)
                else:
                    self.stalls.append(time.monotonic() - began)
                    self.acknowledged.append(key)
                    break
            time.sleep(PAUSE)
