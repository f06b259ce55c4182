"""Counter of the account's changes: whoever runs machines waits on it, instead of asking for
everything again and again.

Requests of EC2's and ELB's protocol are watched; a `Describe` changes nothing, and what is measured
changes no machine: every node sends its metrics twice a minute.
"""

import io
import re
import threading
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_WITHOUT_CHANGE = re.compile(rb"(?:^|&)Action=(?:Describe|Get|List|PutMetricData)")


class Counter:
    """A number that only grows; waiting for it costs nothing."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._value = 0

    def increase(self) -> None:
        """Count a change and wake who waits."""
        with self._changed:
            self._value += 1
            self._changed.notify_all()

    def after(self, seen: int, patience: float) -> int:
        """The number, once it is not `seen` any more, after `patience` seconds at the latest."""
        with self._changed:
            self._changed.wait_for(lambda: self._value != seen, patience)
            return self._value


COUNTER = Counter()


class Changes:
    """WSGI middleware that counts requests which may have changed the account."""

    def __init__(self, application: "WSGIApplication") -> None:
        self._application = application

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request; count it once it was answered."""
        if not environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
            return self._application(environ, start_response)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        try:
            return list(self._application(environ, start_response))
        finally:
            if not _WITHOUT_CHANGE.search(body):
                COUNTER.increase()
