"""Guards of the suite itself."""

import re

from tests.recording import REPOSITORY


def test_every_file_with_tests_is_collected():
    for path in (REPOSITORY / "tests").rglob("*.py"):
        if re.search(r"^\s*def test_", path.read_text(), re.MULTILINE):
            assert path.name.startswith("test_"), path


def test_the_entry_point_only_wires():
    lines = (REPOSITORY / "__main__.py").read_text().splitlines()
    assert len(lines) <= 40


def test_the_program_does_not_need_the_lab():
    for folder in ("components", "config", "node"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            assert not re.search(r"^\s*(from|import) lab\b", path.read_text(), re.MULTILINE), path
