"""Polling for what machines do in their own time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 600.0
"""Seconds after which something is taken for stuck; what takes long is a figure, not a failure."""
PAUSE = 0.5


def until(what: str, poll: Callable[[], T | None], patience: float = PATIENCE) -> T:
    """The first answer that is not nothing. Raises AssertionError when none came."""
    deadline = time.monotonic() + patience
    while True:
        found = poll()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain: {what}")
        time.sleep(PAUSE)


def until_none(what: str, poll: Callable[[], list[str]], patience: float = PATIENCE) -> None:
    """Wait until nothing is in the way any more.

    Raises AssertionError with what is left when something stays.
    """
    deadline = time.monotonic() + patience
    while left := poll():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:.0f} s in vain: {what}: {'; '.join(left)}")
        time.sleep(PAUSE)
