"""`docs/outputs.md` has every output, with the words of the code."""

import ast
import inspect

from components import outputs
from tests.recording import REPOSITORY


def test_the_page_has_every_output():
    tree = ast.parse(inspect.getsource(outputs))
    (cluster,) = (one for one in tree.body if getattr(one, "name", "") == "ClusterOutputs")
    said = {
        field.target.id: ast.literal_eval(docstring.value)
        for field, docstring in zip(cluster.body, cluster.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign)
    }
    (by_name,) = (one for one in cluster.body if getattr(one, "name", "") == "by_name")
    (names,) = (one for one in ast.walk(by_name) if isinstance(one, ast.Dict))
    expected = [
        f"| `{ast.literal_eval(key)}` | {said[attribute.attr]} |"
        for key, value in zip(names.keys, names.values, strict=True)
        for attribute in ast.walk(value)
        if isinstance(attribute, ast.Attribute) and attribute.attr in said
    ]
    assert len(expected) == len(said)
    page = (REPOSITORY / "docs/outputs.md").read_text().splitlines()
    assert [line for line in page if line.startswith("| `")] == expected


def test_the_page_has_the_keys_of_the_mappings():
    page = (REPOSITORY / "docs/outputs.md").read_text()
    functions = (
        outputs.etcd_output,
        outputs.controllers_output,
        outputs.nodes_output,
        outputs.workers_output,
    )
    for function in functions:
        (*_, returned) = (
            one for one in ast.walk(ast.parse(inspect.getsource(function))) if _is_text_dict(one)
        )
        for key in returned.keys:
            assert f"`{ast.literal_eval(key)}`" in page


def _is_text_dict(node):
    return isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys)
