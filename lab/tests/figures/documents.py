"""Figures in the documents, which `python -m lab.tests.figures.documents` writes between markers.

A marker is `<!-- generated: NAME -->` with an end, `<!-- end -->`. What is between them is one line
in a sentence, or a block of its own. A test fails while a document is stale.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from lab.tests.figures.cost import changes, cost, declared, prices, sums
from lab.tests.figures.quotas import quotas
from lab.tests.figures.resources import counts, resources
from lab.tests.figures.snapshot_cost import snapshots
from lab.tests.figures.user_data import user_data
from tests.recording import REPOSITORY

MARKED = re.compile(r"(<!-- generated: (\S+) -->).*?(<!-- end -->)", re.DOTALL)


def _of_prod() -> str:
    aws, tls, components, whole = counts(declared("prod"))
    return f"{whole} resources: {aws + tls} in AWS and of keys and certificates, {components} components"


CONTENTS: Mapping[str, Callable[[], str]] = {
    "cost": cost,
    "cost-of-changes": changes,
    "cost-of-snapshots": snapshots,
    "cost-sums": sums,
    "prices": prices,
    "quotas": quotas,
    "resources": resources,
    "resources-of-prod": _of_prod,
    "user-data": user_data,
}


def documents() -> Iterator[Path]:
    """Every document that is written by people."""
    yield from sorted(REPOSITORY.glob("*.md"))
    yield from sorted((REPOSITORY / "docs").rglob("*.md"))


def generated(text: str) -> str:
    """A document with its figures as they are now. Raises KeyError for a name that is none."""

    def figure(marked: re.Match[str]) -> str:
        content = CONTENTS[marked[2]]().strip()
        around = "\n\n" if "\n" in content else ""
        return f"{marked[1]}{around}{content}{around}{marked[3]}"

    return MARKED.sub(figure, text)


def main() -> None:
    """Write what is stale."""
    for path in documents():
        path.write_text(generated(path.read_text()))


if __name__ == "__main__":
    main()
