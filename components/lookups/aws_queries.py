"""Queries to AWS before any resource, and how their failures are reported."""

import re
from collections.abc import Callable
from typing import TypeVar

Answer = TypeVar("Answer")

_SDK = re.compile(r"^invoke of \S+ failed: ")
"""What the SDK puts before a provider's words."""


class LookupFailedError(Exception):
    """AWS has not what the configuration names, or did not answer. One line for each problem."""


def ask(key: str, question: Callable[[], Answer]) -> Answer:
    """The answer of AWS to a question about a key of the configuration.

    Raises LookupFailedError, headed by the key, when AWS does not answer or refuses.
    """
    try:
        return question()
    except Exception as error:
        # The SDK has no type of its own for a provider's refusal.
        raise LookupFailedError(f"{key}: {reason(error)}") from None


def reason(error: Exception) -> str:
    """The last line of what a provider says: the one that names the cause."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return _SDK.sub("", lines[-1]) if lines else type(error).__name__
