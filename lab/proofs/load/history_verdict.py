"""Verdict of `apiload check` on a history."""

from dataclasses import dataclass

from pydantic import TypeAdapter


@dataclass(frozen=True)
class Verdict:
    """What a history says of the cluster (lab/binaries/apiload/check.go)."""

    linearizable: bool
    """Whether for every object some order of its writes explains all that was read."""
    undecided: int
    """Objects whose search took too long; then nothing is called linearizable."""
    objects: int
    checked_operations: int
    unknown_writes: int
    """Writes without an answer, which may have taken effect."""
    lost_acknowledged_writes: int
    stale_reads: int
    not_read_finally: int
    """Objects of which nobody knows whether their writes are lost."""
    watched_events: int
    missed_events: int
    reordered_events: int
    examples: list[str]
    """Sentences on the first of what is wrong."""

    def complaint(self) -> str:
        """What is wrong, in one sentence; empty when nothing is."""
        counts = {
            "lost acknowledged writes": self.lost_acknowledged_writes,
            "stale reads": self.stale_reads,
            "objects whose history took too long to judge": self.undecided,
            "objects that were not read in the end": self.not_read_finally,
            "missed events": self.missed_events,
            "events out of order": self.reordered_events,
        }
        found = [f"{count} {what}" for what, count in counts.items() if count]
        if not self.linearizable:
            found.insert(0, "no linearizable history")
        if not found:
            return ""
        return f"the load saw {', '.join(found)}: {'; '.join(self.examples)}"


_VERDICT = TypeAdapter(Verdict)


def parse(text: str) -> Verdict:
    """The verdict in what `apiload check` prints. Raises ValueError."""
    return _VERDICT.validate_json(text)
