"""Session tokens of IMDSv2: each belongs to one instance and lives as long as was asked."""

import secrets
import time
from collections.abc import Callable

MAX_SECONDS = 21_600
"""Six hours (EC2 user guide, "Use IMDSv2")."""


class Tokens:
    """The tokens that are valid."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._valid: dict[str, tuple[str, float]] = {}

    def issue(self, instance: str, seconds: int) -> str:
        """A new token. Raises ValueError for a lifetime that AWS refuses."""
        if not 1 <= seconds <= MAX_SECONDS:
            raise ValueError(f"a token lives 1 to {MAX_SECONDS} seconds, not {seconds}")
        now = self._clock()
        self._valid = {token: v for token, v in self._valid.items() if v[1] > now}
        token = secrets.token_urlsafe(42)
        self._valid[token] = (instance, now + seconds)
        return token

    def valid(self, instance: str, token: str) -> bool:
        """Whether an instance may use a token now."""
        owner, expires = self._valid.get(token, ("", 0.0))
        return owner == instance and expires > self._clock()
