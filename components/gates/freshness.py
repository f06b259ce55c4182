"""Freshness of reports: which ones count, without comparing clocks. Pure.

Nodes, Parameter Store and the machine that runs `pulumi up` each have a clock of their own, and a
report from before the update must not pass for the state of the instance that came after it. So the
gate asks whether Parameter Store counted another version of the report since this gate began to
look, and measures ages with its own monotonic clock only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.contract import GATE_STALE_SECONDS

UNHEARD = "has not reported since this update began"
SILENT = f"has not reported for {GATE_STALE_SECONDS} s"


@dataclass
class _Seen:
    version: int
    written_after: float | None = None
    """A moment after which this version was written; None for the version that was there first."""


@dataclass
class Freshness:
    """The versions of reports that one gate has seen."""

    _seen: dict[str, _Seen] = field(default_factory=dict)
    _looked: float | None = None

    def look(self, versions: Mapping[str, int], now: float) -> None:
        """Take in the versions that are there `now` (seconds of a monotonic clock)."""
        for name in self._seen.keys() - versions.keys():
            del self._seen[name]
        for name, version in versions.items():
            known = self._seen.get(name)
            if known is None or version < known.version:  # new, or made anew
                self._seen[name] = _Seen(version)
            elif version > known.version:
                # Written at some time since the last look: the earliest one is what is sure.
                self._seen[name] = _Seen(version, self._looked)
        self._looked = now

    def problem(self, name: str, now: float) -> str | None:
        """Why the report of a node does not count, or None when it does."""
        seen = self._seen.get(name)
        if seen is None:
            return "has no report in Parameter Store"
        if seen.written_after is None:
            return UNHEARD
        return SILENT if now - seen.written_after > GATE_STALE_SECONDS else None
