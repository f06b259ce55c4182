"""Replay of answers that got lost on the way.

About one request in 2,000 the provider's client closes the connection around the answer and asks
again (measured; its cause is a race between the SDK and a server that answers within milliseconds).
AWS recognises many such repeats; moto runs them twice, and the second DetachVolume or
DeregisterTargets fails: one destroy in five. An SDK marks the attempts of one call with the same
Amz-Sdk-Invocation-Id, so a repeat waits for the first answer and gets it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

KEPT = 500
"""Answers that are remembered: many more than a client has under way."""

PATIENCE = 60.0
"""Seconds that a repeat waits for the first attempt: longer than any call to the emulator takes."""


@dataclass(frozen=True)
class Answer:
    """A whole HTTP answer."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def final(self) -> bool:
        """Whether a repeat must not run the call again: the call has had its effect."""
        return self.status.startswith("2")


class Replay:
    """WSGI middleware that runs every call to the AWS API once."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application
        self._answers: OrderedDict[str, Future[Answer]] = OrderedDict()
        self._lock = threading.Lock()

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        invocation = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if not invocation or environ.get("REQUEST_METHOD") in {"GET", "HEAD"}:
            return self._application(environ, start_response)
        answer = self._once(invocation, environ)
        start_response(answer.status, answer.headers)
        return [answer.body]

    def _once(self, invocation: str, environ: "WSGIEnvironment") -> Answer:
        with self._lock:
            first = self._answers.get(invocation)
            if first is None:
                mine = self._answers[invocation] = Future()
                while len(self._answers) > KEPT:
                    self._answers.popitem(last=False)
        if first is not None:
            # Unread input would make the server reset the connection before the answer is read.
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return first.result(PATIENCE)
        try:
            answer = collect(self._application, environ)
        except BaseException as error:
            self._forget(invocation)
            mine.set_exception(error)
            raise
        if not answer.final:
            self._forget(invocation)
        mine.set_result(answer)
        return answer

    def _forget(self, invocation: str) -> None:
        with self._lock:
            self._answers.pop(invocation, None)


def collect(application: "WSGIApplication", environ: "WSGIEnvironment") -> Answer:
    """Run an application for one request and keep its whole answer."""
    head: list[tuple[str, list[tuple[str, str]]]] = []
    written: list[bytes] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], _error: object = None
    ) -> Callable[[bytes], object]:
        head.append((status, list(headers)))
        return written.append

    chunks = application(environ, start_response)
    try:
        written.extend(chunks)
    finally:
        close = getattr(chunks, "close", None)
        if close:
            close()
    status, headers = head[-1]
    return Answer(status, headers, b"".join(written))
