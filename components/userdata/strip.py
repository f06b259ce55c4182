"""Python source without what only people read, line by line as it was written.

`ast.unparse` would do it in a line, but words the same program differently from one Python to the
next, and user data that differs replaces nodes.
"""

import ast
import io
import tokenize

_Body = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def strip(source: str) -> str:
    """The source without comments, docstrings and blank lines; statements keep their text."""
    lines = dict(enumerate(source.splitlines(), start=1))
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row] = lines[row][:column]
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, _Body):
            _drop_documentation(node, lines)
    text = _text_lines(tree)
    return "".join(
        f"{line if row in text else line.rstrip()}\n"
        for row, line in sorted(lines.items())
        if row in text or line.strip()
    )


def _drop_documentation(node: _Body, lines: dict[int, str]) -> None:
    """Remove the docstrings of a body: its own, and those below attributes."""
    documentation = [statement for statement in node.body if _is_documentation(statement)]
    for statement in documentation:
        for row in _rows(statement):
            del lines[row]
    if documentation and len(documentation) == len(node.body) and not isinstance(node, ast.Module):
        lines[documentation[0].lineno] = " " * documentation[0].col_offset + "..."


def _is_documentation(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _text_lines(tree: ast.Module) -> set[int]:
    """Lines that end within a literal, where a blank line means something."""
    return {
        row
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes))
        for row in _rows(node)[:-1]
    }


def _rows(node: ast.expr | ast.stmt) -> range:
    return range(node.lineno, (node.end_lineno or node.lineno) + 1)
