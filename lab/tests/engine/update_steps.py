"""The steps of an update, and what was said meanwhile, from the engine's own event log."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step on one resource, with its place in the order of all events."""

    op: str
    """As the engine calls it: create, update, delete, create-replacement, delete-replaced, ..."""
    urn: str
    began: int
    """Sequence number of the event that announced it."""
    ended: int | None
    """Sequence number of the event that reported its success; None if it did not come."""

    @property
    def type(self) -> str:
        """The resource's type token."""
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        return self.urn.split("::", 3)[3]

    @property
    def end(self) -> int:
        """When it ended, of a step that did."""
        assert self.ended is not None, f"{self.op} {self.name} did not end"
        return self.ended

    @property
    def component(self) -> bool:
        return self.type.startswith(("hak8s:", "pulumi:"))


def read_steps(log: Path) -> tuple[Step, ...]:
    """The steps that change something; a last line that is still being written is left out."""
    if not log.exists():
        return ()
    begun: dict[tuple[str, str], int] = {}
    ended: dict[tuple[str, str], int] = {}
    for line in log.read_text().splitlines(keepends=True):
        # Most of a log is debug messages, and an update of this program writes thousands.
        if not line.endswith("\n") or not ("resourcePreEvent" in line or "resOutputsEvent" in line):
            continue
        event: dict[str, Any] = json.loads(line)
        for kind, events in (("resourcePreEvent", begun), ("resOutputsEvent", ended)):
            if kind in event and event[kind]["metadata"]["op"] not in {"same", "read", "refresh"}:
                metadata = event[kind]["metadata"]
                events.setdefault((metadata["op"], metadata["urn"]), event["sequence"])
    return tuple(Step(*key, began, ended.get(key)) for key, began in begun.items())


def said(log: Path) -> list[str]:
    """What a program has said so far, without the CLI's own debug messages."""
    if not log.exists():
        return []
    events = [
        json.loads(line)["diagnosticEvent"]
        for line in log.read_text().splitlines(keepends=True)
        if line.endswith("\n") and '"diagnosticEvent"' in line and '"severity":"debug"' not in line
    ]
    return [event["message"].strip() for event in events if event["severity"] != "debug"]


def completed(steps: tuple[Step, ...]) -> set[tuple[str, str, str]]:
    """What was done to resources of a provider, in no order: operation, type and name."""
    return {
        (step.op, step.type, step.name)
        for step in steps
        if step.ended is not None and not step.component
    }


def find_step(steps: tuple[Step, ...], op: str, type_: str, name: str) -> Step:
    """The only such step. The type is the last part of the token."""
    (found,) = (
        step
        for step in steps
        if (step.op, step.name) == (op, name) and step.type.rpartition(":")[2] == type_
    )
    return found
