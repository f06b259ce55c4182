"""What a change of a key does to a cluster that runs; one note on each field of the models.

`docs/configuration.md` is generated from these notes, and tests/invariants/test_changes.py changes
every key and compares what happens to the machines with what the note says.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import GetJsonSchemaHandler
from pydantic_core import CoreSchema

KEYWORD = "x-change"
"""Name of the note in the JSON schema."""


class Effect(StrEnum):
    """The machines that a change replaces, if any, and whether it is possible at all."""

    IN_PLACE = "in place"
    """No machine is replaced."""
    ADDS_OR_REMOVES = "adds or removes machines"
    """Machines come or go; none that stays is replaced."""
    ROLLS_ETCD = "rolls the etcd tier"
    """Members are replaced one after the other; each keeps its name, its address and its disk."""
    ROLLS_API = "rolls the API tier"
    """API servers are replaced one after the other, each by a successor that serves before."""
    ROLLS_ALL = "rolls every machine"
    """Both tiers."""
    ROLLS_POOL = "rolls the pool"
    """Workers of the pool are drained and replaced, a few at a time; no other machine is."""
    REFUSED = "refused on a living cluster"
    """It would take the cluster down. With `protect: true` the preview refuses it."""


@dataclass(frozen=True)
class Change:
    """A field's note: put it into the `Annotated` of the field."""

    effect: Effect
    but: str = ""
    """What else there is to say, appended after a colon."""

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The field's schema, with the note."""
        text = f"{self.effect}: {self.but}" if self.but else str(self.effect)
        return {**handler(core_schema), KEYWORD: text}


IN_PLACE = Change(Effect.IN_PLACE)
ROLLS_ETCD = Change(Effect.ROLLS_ETCD)
ROLLS_API = Change(Effect.ROLLS_API)
ROLLS_ALL = Change(Effect.ROLLS_ALL)
ROLLS_POOL = Change(Effect.ROLLS_POOL)
REFUSED = Change(Effect.REFUSED)
