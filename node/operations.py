"""Operations: what the stack wants of a node while it runs; a change of it replaces no machine.

The document in Parameter Store, as Pulumi writes it:

    snapshots     {"everyMinutes", "keepDays"}: how often, and for how many days they are kept
    mirror        https URL that stands in for upstream's scheme and host, or null
    operatorKeys  public SSH keys, as lines of authorized_keys

The last one that was read is kept on disk: a node without AWS goes on as it was told.
"""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from node import files
from node.contract import AUTHORIZED_KEYS, CACHE
from node.errors import NodeError
from node.settings import Settings, at

KEPT = f"{CACHE}/operations.json"

_HEAD = "# Written by ha-node from operatorKeys of the stack; what is added here goes again.\n"


@dataclass(frozen=True)
class Operations:
    """What the document says."""

    every_minutes: int
    """Minutes between snapshots."""
    keep_days: int
    """Days that a snapshot is kept."""
    mirror: str | None
    """Base URL of downloads; None for upstream's own."""
    operator_keys: tuple[str, ...]
    """Public SSH keys."""

    def source(self, url: str) -> str:
        """Where to download what upstream has at a URL: the mirror keeps upstream's paths."""
        return url if self.mirror is None else f"{self.mirror}{urlsplit(url).path}"


def fetch(settings: Settings) -> Operations:
    """What Parameter Store says now. NodeError when it does not answer, or not in this form."""
    # What was kept is read without boto3, each minute and by a program of its own.
    from node.aws import ParameterStore  # noqa: PLC0415

    document = ParameterStore(settings.region).get(settings.parameters["operations"])
    operations = parse(document)
    files.write(at(KEPT), json.dumps(document))
    return operations


def current(settings: Settings) -> Operations:
    """What Parameter Store says, or said when it last could be asked. NodeError without either."""
    try:
        return fetch(settings)
    except NodeError as error:
        if (kept := _kept()) is None:
            raise NodeError(f"{error}; and on disk there is none of an earlier time") from error
        return kept


def recent(settings: Settings) -> Operations:
    """What `reconcile` read half a minute ago; Parameter Store is asked when it never did.

    NodeError without either.
    """
    return _kept() or fetch(settings)


def _kept() -> Operations | None:
    try:
        return parse(json.loads(files.read(at(KEPT)) or ""))
    except (NodeError, ValueError):
        return None


def parse(document: Any) -> Operations:  # noqa: ANN401  JSON
    """A document. NodeError when it is not one."""
    try:
        snapshots, keys = document["snapshots"], tuple(document["operatorKeys"])
        mirror = document["mirror"]
        if not all(isinstance(key, str) and key.isprintable() for key in keys):
            raise ValueError("a key is no line of text")
        if mirror is not None and not str(mirror).startswith("https://"):
            raise ValueError("the mirror is not HTTPS")
        every, days = int(snapshots["everyMinutes"]), int(snapshots["keepDays"])
        if every < 1 or days < 1:
            raise ValueError("less than one minute or day")
        return Operations(every, days, mirror, keys)
    except (KeyError, TypeError, ValueError) as error:
        raise NodeError(f"the operations parameter is damaged ({error!r}): run pulumi up") from None


def follow(settings: Settings) -> list[str]:
    """Read the document, and accept exactly the keys in it; what was done, or what is wrong."""
    try:
        keys = fetch(settings).operator_keys
        if files.write(at(AUTHORIZED_KEYS), _HEAD + "".join(f"{key}\n" for key in keys)):
            return [f"accepts {len(keys)} operators' keys"]
    except NodeError as error:
        return [f"kept the operators' keys on disk: {error}"]
    return []
