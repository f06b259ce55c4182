"""The node program loses its comments on the way to a node, and nothing else."""

import ast
from pathlib import Path

import pytest

from components.userdata.strip import strip

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("node/**/*.py"), *ROOT.glob("components/userdata/*.py")])


def undocumented(source):
    """The syntax tree without documentation."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            node.body = [
                part
                for part in node.body
                if not (
                    isinstance(part, ast.Expr)
                    and isinstance(part.value, ast.Constant)
                    and isinstance(part.value.value, str | type(...))
                )
            ]
    return ast.dump(tree)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_program_means_the_same(path):
    source = path.read_text("utf-8")

    stripped = strip(source)

    assert undocumented(stripped) == undocumented(source)
    assert strip(stripped) == stripped


def test_comments_docstrings_and_blank_lines_go():
    source = '"""Doc."""\n\n# why\nX = 1  # how\n"""Doc of X."""\n\n\ndef f():\n    """Doc."""\n    return "# no"\n'

    assert strip(source) == 'X = 1\ndef f():\n    return "# no"\n'


def test_bodies_of_nothing_but_documentation_stay_bodies():
    source = 'class E(Exception):\n    """Doc."""\n\nclass F:\n    """Doc."""\n    """More."""\n\ndef f():\n    """Doc."""\n'

    assert strip(source) == "class E(Exception):\n    ...\nclass F:\n    ...\ndef f():\n    ...\n"


def test_text_literals_stay_as_they_are():
    source = 'X = """a\n\n  # not a comment\nb \n"""\nY = f"""a\n\n{X}  \n"""\n'

    assert strip(source) == source


def test_module_of_documentation_alone_is_empty():
    assert strip('"""Doc."""\n') == ""
