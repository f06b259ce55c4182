"""Documents: links between them hold, and the README stays short."""

import re

import pytest

from tests.recording import REPOSITORY

DOCUMENTS = [
    *sorted(REPOSITORY.glob("*.md")),
    *sorted((REPOSITORY / "docs").rglob("*.md")),
    REPOSITORY / "lab/README.md",
]
README_BYTES = 9 * 1024


def anchors(text: str) -> set[str]:
    """Anchors of the headings, as GitHub makes them, and those of a page of ours."""
    if text.startswith("<!"):
        return set(re.findall(r' id="([^"]+)"', text))
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.strip().lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_to_a_file_and_a_heading_that_are_there(path):
    for link in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
        if "://" in link or link.startswith("mailto:"):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        assert target.exists(), f"{path}: {link}"
        if anchor:
            assert anchor in anchors(target.read_text()), f"{path}: {link}"


def test_tests_that_documents_name_are_there():
    folders = [REPOSITORY / "tests", REPOSITORY / "lab"]
    there = {path.name for folder in folders for path in folder.rglob("*.py")}
    for document in DOCUMENTS:
        text = document.read_text()
        for path in re.findall(r"`((?:lab|tests)/[\w/]+\.py)`", text):
            assert (REPOSITORY / path).exists(), f"{document}: {path}"
        for name in re.findall(r"`(test_\w+\.py)`", text):
            assert name in there, f"{document}: {name}"


def test_figures_of_the_readme_are_those_of_the_documents():
    """A run that is published writes the documents, and nobody remembers the README."""
    text = (REPOSITORY / "README.md").read_text()
    section = text.partition("## Figures")[2].partition("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    figures = re.findall(r"[\d.]+ s\b", "\n".join(rows))
    published = [
        (REPOSITORY / f"docs/{name}.md").read_text() for name in ("measurements", "proofs")
    ]
    assert len(figures) >= 3
    for figure in figures:
        assert any(re.search(rf"(?<![\d.]){figure}\b", one) for one in published), figure


def test_the_readme_is_short():
    assert len((REPOSITORY / "README.md").read_bytes()) <= README_BYTES
