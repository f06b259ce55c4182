"""Time of the Auto Scaling groups: seconds that only grow, and that tests and people may skip.

`/_lab/clock`: `POST {"seconds": 900}` lets that much time pass at once for the groups, and for
nothing else.
"""

import json
import threading
import time
from collections.abc import Callable

from werkzeug.wrappers import Request

TICK = 1.0
"""Seconds between two looks at the groups."""


class Clock:
    """Monotonic time that can be put forward."""

    def __init__(self, seconds: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._ahead = 0.0

    def now(self) -> float:
        """Seconds since some moment."""
        return self._seconds() + self._ahead

    def skip(self, seconds: float) -> None:
        """Let time pass. Raises ValueError for time that would go back."""
        if seconds < 0:
            raise ValueError(f"time does not go back: {seconds}")
        self._ahead += seconds


CLOCK = Clock()


def skip(request: Request) -> object:
    """Put the clock forward."""
    CLOCK.skip(float(json.loads(request.get_data())["seconds"]))
    return {}


def every_second(act: Callable[[], object]) -> threading.Thread:
    """Act for ever, in a thread of its own."""

    def run() -> None:
        while True:
            time.sleep(TICK)
            act()

    thread = threading.Thread(target=run, name="auto-scaling", daemon=True)
    thread.start()
    return thread
