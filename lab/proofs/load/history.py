"""History of a load: every request of its clients, as `apiload run` records them. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import TypeAdapter

WRITES = frozenset({"write", "create", "delete"})
REQUESTS = WRITES | {"read"}
"""Operations that are requests; the others are of watchers, and of the load itself."""

_OUTSIDE = frozenset({"setup", "final"})
"""Kinds of what the load does before and after its clients."""


@dataclass(frozen=True)
class Request:
    """A request of a client, what a watcher saw, or a moment of the load
    (lab/binaries/apiload/record.go)."""

    client: str
    kind: str
    """Kind of the client: `fresh`, `kept`, ..."""
    op: str
    key: str
    """Name of the object; empty when a creation failed."""
    value: str
    version: int
    """The object's resourceVersion; 0 when it is not known."""
    start: float
    """Unix time in seconds, of one steady clock for all clients."""
    seconds: float
    """From the start until the whole answer was there."""
    status: int
    """Of HTTP; 0 without an answer."""
    error: str
    """Why it failed; empty when it did not."""

    @property
    def end(self) -> float:
        """Unix time in seconds at which its client knew how it ended."""
        return self.start + self.seconds

    @property
    def ok(self) -> bool:
        """Whether it succeeded."""
        return not self.error


_LINE = TypeAdapter(Request)


def parse(lines: Iterable[str]) -> list[Request]:
    """The records of lines of JSON. Raises ValueError."""
    return [_LINE.validate_json(line) for line in lines]


def of_clients(records: Iterable[Request]) -> list[Request]:
    """Requests of the clients: nothing of watchers, and nothing before or after the load."""
    return [one for one in records if one.op in REQUESTS and one.kind not in _OUTSIDE]


def window(records: Iterable[Request]) -> tuple[float, float]:
    """Unix times between which clients began requests. Raises ValueError when there are none."""
    moments = {one.op: one.start for one in records}
    if not {"begin", "end"} <= moments.keys():
        raise ValueError("the load did not begin, or did not end")
    return moments["begin"], moments["end"]
