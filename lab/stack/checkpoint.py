"""The stack's state in the file backend: whether there is one, and whether it can be trusted."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab.engine.model import Engine
from lab.workspace import STACK, Workspace

SCHEME = "file://"


@dataclass(frozen=True)
class Checkpoint:
    """What the backend holds for the lab's stack."""

    backend: Path
    """The `.pulumi` directory of the file backend."""
    project: str

    @classmethod
    def of(cls, workspace: Workspace, engine: Engine) -> "Checkpoint":
        """The checkpoint of the lab's stack."""
        url = engine.environment["PULUMI_BACKEND_URL"]
        return cls(Path(url.removeprefix(SCHEME)) / ".pulumi", workspace.project_name)

    def resources(self) -> int:
        """How many resources of a provider the stack has."""
        return sum("custom" in one and bool(one["custom"]) for one in self._latest("resources"))

    def pending(self) -> int:
        """How many operations were under way when the engine was killed; their effect is
        unknown."""
        return len(self._latest("pending_operations"))

    def holders(self) -> list[int]:
        """Process ids of those that hold, or died holding, the stack's lock."""
        found = []
        for lock in (self.backend / "locks").rglob("*.json"):
            try:
                found.append(int(json.loads(lock.read_text(encoding="utf-8"))["pid"]))
            except (OSError, ValueError, KeyError):
                found.append(0)
        return found

    def remove(self) -> None:
        """Forget the stack."""
        shutil.rmtree(self.backend, ignore_errors=True)

    def _latest(self, key: str) -> list[dict[str, Any]]:
        path = self.backend / "stacks" / self.project / f"{STACK}.json"
        try:
            checkpoint = json.loads(path.read_text(encoding="utf-8"))["checkpoint"]
        except FileNotFoundError:
            return []
        return list((checkpoint.get("latest") or {}).get(key) or [])
