"""Documents that nodes own: each says which version of its parameter it was written as. Pure.

Whoever has a copy of a parameter can write it back: `pulumi up`, a script, a person with a backup.
Parameter Store has no condition on a write, but it counts versions, and answers with the number.
So a document carries the number that it was written as. One that stands under another number is an
echo of an older one, or lost a race: it says nothing, whatever it says. What counts is the newest
document that stands under its own number, and Parameter Store keeps the last hundred versions.

That makes a write conditional, too: of two that both go on from version n, and both say n + 1, the
second one stands under n + 2 and says nothing; its writer learns so from the answer.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

VERSION = "version"
"""The key of the number in a document."""

FIRST = 1
"""The number that Parameter Store gives to what a parameter is made with, by `pulumi up`."""


@dataclass(frozen=True)
class Version:
    """One version of a parameter."""

    number: int
    """Parameter Store's own."""
    document: Any
    """JSON; None when the value is not JSON."""

    @property
    def says(self) -> object:
        """The number that the document gives itself; None for one from before documents did."""
        return self.document.get(VERSION) if isinstance(self.document, dict) else None

    @property
    def stands(self) -> bool:
        """Whether the document was written as this very version."""
        return self.says == self.number


def numbered(document: Mapping[str, Any], number: int) -> dict[str, Any]:
    """The document, to be written as that version."""
    return {**document, VERSION: number}


def newest(versions: Iterable[Version]) -> Version | None:
    """The version that counts; None when none does.

    Documents without a number are believed only while there is none with one: they are from nodes
    of before, which this rule must not make silent.
    """
    known = sorted(versions, key=lambda version: version.number)
    standing = [version for version in known if version.stands]
    if standing:
        return standing[-1]
    unnumbered = all(version.says is None for version in known)
    return known[-1] if known and unnumbered else None
