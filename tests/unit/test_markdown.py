"""Markdown that GitHub and the site (mkdocs.yml) read alike: Python-Markdown wants more blanks."""

import re
from collections.abc import Iterator

import pytest

from tests.recording import REPOSITORY

PAGES = [
    *REPOSITORY.glob("*.md"),
    *(REPOSITORY / "docs").rglob("*.md"),
    REPOSITORY / "lab/README.md",
]
ITEM = re.compile(r"(\d+\.|[-*]) ")
FENCE = re.compile(r" *```")


def problems(text: str) -> Iterator[str]:
    fenced = False
    first = ""
    """Line that the present run of lines without a blank one began with."""
    for number, line in enumerate(text.splitlines(), 1):
        fence = FENCE.match(line)
        if not fenced and (fence or not first) and re.match(r" {1,3}\S", line):
            yield f"line {number}: what belongs to an item of a list is indented by four"
        if ITEM.match(line) and not fenced and first and not ITEM.match(first):
            yield f"line {number}: a blank line is missing in front of a list"
        fenced ^= bool(fence)
        first = (first or line) if fenced or line.strip() else ""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(REPOSITORY).as_posix())
def test_lists_are_written_as_both_want_them(page):
    assert list(problems(page.read_text())) == []


@pytest.mark.parametrize(
    "text",
    ["- a\n\n  b", "- a\n\n   ```text\n   b\n   ```", "a\n- b", "- a\n\n    b\n- c"],
)
def test_what_only_one_of_them_reads_is_found(text):
    assert list(problems(text))


@pytest.mark.parametrize(
    "text", ["- a\n  b\n- c", "1. a\n\n    ```text\n- b\n    ```\n\n2. c", "a\n\n- b", "a\n  - b"]
)
def test_what_both_read_is_not(text):
    assert not list(problems(text))
