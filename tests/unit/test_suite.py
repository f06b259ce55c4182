"""Guards of the suite itself."""

import ast
import re
import tomllib
from collections import Counter
from fnmatch import fnmatch

import pulumi_aws

from tests.recording import REPOSITORY


def test_every_file_with_tests_is_collected():
    for path in [*(REPOSITORY / "tests").rglob("*.py"), *(REPOSITORY / "lab/tests").rglob("*.py")]:
        if re.search(r"^\s*def test_", path.read_text(), re.MULTILINE):
            assert path.name.startswith("test_"), path


def test_a_base_name_stands_once():
    """A file is found by its noun."""
    folders = ("components", "config", "examples", "lab", "node", "recovery", "tests")
    names = Counter(path.name for one in folders for path in (REPOSITORY / one).rglob("*.py"))
    twice = {name for name, times in names.items() if times > 1}
    assert twice <= {"__init__.py", "__main__.py", "conftest.py"}


def test_the_entry_point_only_wires():
    lines = (REPOSITORY / "__main__.py").read_text().splitlines()
    assert len(lines) <= 40


def test_nothing_imports_the_lab_but_itself():
    for folder in ("components", "config", "examples", "node", "recovery", "tests"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            assert not re.search(r"^\s*(from|import) lab\b", path.read_text(), re.MULTILINE), path


def test_what_calls_itself_pure_does_not_import_pulumi():
    for path in (REPOSITORY / "components").rglob("*.py"):
        text = path.read_text()
        if "Pure." in (ast.get_docstring(ast.parse(text)) or ""):
            assert not re.search(r"^(from|import) pulumi", text, re.MULTILINE), path


def test_the_tree_of_components_is_in_the_architecture():
    """One line a file: the first of its docstring, so that neither goes stale."""
    components = REPOSITORY / "components"
    listed = (REPOSITORY / "docs/architecture.md").read_text().splitlines()
    for path in components.rglob("*.py"):
        if path.name != "__init__.py" and path.parent.name != "files":
            text = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n\n")[0]
            package = path.parent.relative_to(components).as_posix()
            line = text.replace("\n", " ").removesuffix(".")
            assert f"| `{package}` | `{path.name}` | {line} |" in listed, path


def test_types_of_every_module_of_the_sdk_in_use_are_checked():
    """mypy follows no other ones: what comes from them would be anything."""
    overrides = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["mypy"]
    followed = [
        pattern
        for override in overrides["overrides"]
        if override.get("follow_imports") == "normal"
        for pattern in override["module"]
    ]
    used = set()
    for folder in ("components", "config", "lab"):
        for path in (REPOSITORY / folder).rglob("*.py"):
            if "import pulumi_aws as aws" in (text := path.read_text()):
                used |= set(re.findall(r"(?<![\w.])aws\.(\w+)", text))
    assert {"ec2", "Provider", "get_region"} <= used
    for name in used:
        value = getattr(pulumi_aws, name)
        module = getattr(value, "__module__", None) or value.__name__
        assert any(
            fnmatch(module, pattern.removesuffix(".*")) or fnmatch(module, pattern)
            for pattern in followed
        ), name
