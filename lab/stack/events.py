"""The engine's event log, read as it grows: what is planned, what runs, what is done, what
failed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CHANGES = {"create", "update", "delete", "replace", "import"}
"""Operations that count as one changed resource; the parts of a replacement do not."""

PAST = {"create": "created", "update": "updated", "delete": "deleted", "replace": "replaced"}


@dataclass(frozen=True)
class Operation:
    """One step on one resource."""

    name: str
    urn: str
    began: float
    """Seconds, of the event's own clock."""

    @property
    def resource(self) -> str:
        """`ec2.Instance name`, from the last parts of the URN."""
        kinds, _, name = self.urn.split("::", 2)[2].partition("::")
        token = kinds.rpartition("$")[2]
        package, module, resource = token.split(":")
        scope = module.partition("/")[0]
        return f"{package if scope == 'index' else scope}.{resource} {name}"


@dataclass(frozen=True)
class Done:
    """A step that ended."""

    operation: Operation
    seconds: float

    def __str__(self) -> str:
        """`created ec2.Instance name (10 s)`."""
        verb = PAST.get(self.operation.name, self.operation.name)
        return f"{verb} {self.operation.resource} ({self.seconds:.0f} s)"


@dataclass
class Tally:
    """Everything that an update's events add up to."""

    previewed: bool = False
    """Whether the preview ended and the update began."""
    total: int | None = None
    """Resources that will change, known from the preview."""
    done: int = 0
    """Resources that were changed."""
    running: dict[str, Operation] = field(default_factory=dict)
    """Steps under way, by URN."""
    errors: list[str] = field(default_factory=list)
    """The engine's, the program's and the providers' errors, each once."""
    notes: list[str] = field(default_factory=list)
    """What the program said, each once."""

    def take(self, event: Mapping[str, Any]) -> Done | None:
        """Count one event; the step that it ended, if it is worth a line."""
        now = float(event.get("timestamp", 0))
        if summary := event.get("summaryEvent"):
            self._summary(summary)
        elif message := event.get("diagnosticEvent"):
            self._message(message)
        elif begun := event.get("resourcePreEvent"):
            self._begin(begun, now)
        elif ended := event.get("resOutputsEvent"):
            return self._end(ended, now)
        elif failed := event.get("resOpFailedEvent"):
            self.running.pop(failed["metadata"]["urn"], None)
        return None

    def _summary(self, summary: Mapping[str, Any]) -> None:
        if summary.get("isPreview") and summary.get("result") != "failed":
            changes = summary.get("resourceChanges") or {}
            self.total = sum(count for name, count in changes.items() if name in CHANGES)
            self.previewed = True

    def _message(self, message: Mapping[str, Any]) -> None:
        text = str(message["message"]).strip()
        listed = {"error": self.errors, "info": self.notes, "info#err": self.notes}
        kept = listed.get(str(message["severity"]))
        # The engine's own last word adds nothing to the errors that it sums up.
        if text in {"update failed", "preview failed"} and self.errors:
            return
        if kept is not None and text and text not in kept:
            kept.append(text)

    def _begin(self, event: Mapping[str, Any], now: float) -> None:
        metadata = event["metadata"]
        if not event.get("planning") and metadata["op"] != "same":
            self.running[metadata["urn"]] = Operation(metadata["op"], metadata["urn"], now)

    def _end(self, event: Mapping[str, Any], now: float) -> Done | None:
        operation = self.running.pop(event["metadata"]["urn"], None)
        if event.get("planning") or operation is None or operation.name not in CHANGES:
            return None
        self.done += 1
        if self.total is not None:
            # The stack itself is created again after an interrupted first update, unplanned.
            self.total = max(self.total, self.done)
        return Done(operation, now - operation.began)
