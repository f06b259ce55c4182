"""A client of a Service, which asks all the time and remembers how it was served."""

import socket
import time
from contextlib import closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException

from lab.machines.network import namespaces
from lab.proofs.background import Background

TRY = 2.0
"""Seconds after which a client gives a connection up, and tries another one."""
PATIENCE = 30.0
"""Seconds in which a request must be answered. Each connection is sent to any replica: with half of
them dead, fifteen in a row reach a dead one in 1 of 30,000 requests."""


@dataclass(frozen=True)
class Try:
    """A connection for one request."""

    at: float
    """Unix time of its beginning."""
    seconds: float
    error: str
    """Empty when it was answered."""


class ServiceClient(Background):
    """Asks a Service from the network of a machine, as anything there does, a connection a try.

    A request is answered when one of its tries is. It needs no API: only what is in that machine.
    """

    pause = 0.1

    def __init__(self, namespace: str, address: str, port: int) -> None:
        super().__init__()
        self._namespace, self._endpoint = namespace, (address, port)
        self.tries: list[Try] = []
        self.answered = 0
        """Requests."""
        self.unanswered: list[Try] = []
        """The last try of each request that nobody answered."""
        self.longest = 0.0
        """Seconds of the longest request, with all its tries."""

    @property
    def failed(self) -> list[Try]:
        """Tries that were not answered."""
        return [one for one in self.tries if one.error]

    def _step(self) -> None:
        began = time.monotonic()
        while True:
            last = self._try()
            self.tries.append(last)
            seconds = time.monotonic() - began
            if not last.error or seconds > PATIENCE:
                break
        self.longest = max(self.longest, seconds)
        if last.error:
            self.unanswered.append(last)
        else:
            self.answered += 1

    def _try(self) -> Try:
        at, began, error = time.time(), time.monotonic(), ""
        try:
            raw = namespaces.inside(
                self._namespace, lambda: socket.create_connection(self._endpoint, TRY)
            )
            with closing(HTTPConnection(*self._endpoint, timeout=TRY)) as connection:
                connection.sock = raw
                connection.request("GET", "/hostname", headers={"Connection": "close"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    error = f"status {answer.status}"
        except (OSError, HTTPException) as failure:
            error = repr(failure)
        return Try(at, time.monotonic() - began, error)
