"""Verdict of a gate: pass, wait or refuse. Pure."""

from dataclasses import dataclass


class GateRefusedError(Exception):
    """The gate stays shut and the update stops. One sentence or two, with the remedy."""


@dataclass(frozen=True)
class Pass:
    """It may go."""

    why: str


@dataclass(frozen=True)
class Wait:
    """It may not go yet."""

    reasons: tuple[str, ...]

    def __str__(self) -> str:
        """All reasons in one line, in a form that changes only when they do."""
        return "; ".join(self.reasons)


@dataclass(frozen=True)
class Refuse:
    """It may not go, and no waiting would change that."""

    reason: str


Verdict = Pass | Wait | Refuse
