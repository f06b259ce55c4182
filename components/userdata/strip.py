"""Python source without what only people read, line by line as it was written.

`ast.unparse` would do it in a line, but words the same program differently from one Python to the
next, and user data that differs replaces nodes.
"""

import ast
import io
import tokenize


def strip(source: str) -> str:
    """The source without comments, docstrings and blank lines; statements keep their text."""
    lines = source.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            _drop_documentation(node, lines)
    return "".join(f"{line.rstrip()}\n" for line in lines if line.strip())


def _drop_documentation(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef, lines: list[str]
) -> None:
    """Blank the docstrings of a body: its own, and those below attributes."""
    for statement in node.body:
        if not _is_documentation(statement):
            continue
        first, last = statement.lineno, statement.end_lineno or statement.lineno
        lines[first - 1 : last] = [""] * (last - first + 1)
        if len(node.body) == 1:
            lines[first - 1] = " " * statement.col_offset + "..."


def _is_documentation(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )
