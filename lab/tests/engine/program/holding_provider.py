"""Provider that never answers some creations, so that the engine can be killed at an exact moment:
`hold.json` says of which types, the files below `held` say of which resources.

Of every type the first resource is held once it exists, the second before it does.
"""

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.engine.aws import aws_host
from lab.engine.aws.aws_provider import Provider

MOMENTS = ("exists", "absent")


class HoldingProvider(Provider):
    """A provider that holds some answers back."""

    directory: Path

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._wanted = json.loads((self.directory / "hold.json").read_text())
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def Create(self, request: Any, context: Any) -> Any:
        """Create, and say so or not."""
        moment = None if request.preview else self._moment(request.urn)
        if moment == "absent":
            self._hold(request.urn, moment)
        answer = super().Create(request, context)
        if moment == "exists":
            self._hold(request.urn, moment)
        return answer

    def _moment(self, urn: str) -> str | None:
        token = urn.split("::")[-2].rpartition("$")[2]
        if token not in self._wanted:
            return None
        with self._lock:
            self._seen[token] += 1
            return dict(enumerate(MOMENTS, 1)).get(self._seen[token])

    def _hold(self, urn: str, moment: str) -> None:
        place = self.directory / "held" / moment
        (place / hashlib.sha256(urn.encode()).hexdigest()).write_text(urn)
        threading.Event().wait()


def main(arguments: Sequence[str]) -> None:
    """Serve as the stand-in does; the first argument is the directory."""
    HoldingProvider.directory = Path(arguments[0])
    aws_host.Provider = HoldingProvider  # type: ignore[misc]
    aws_host.main(arguments[1:])
