"""Each component alone: nothing but its arguments is needed."""

import ast
import re

import pytest

from tests.components.builders import COMPONENTS
from tests.recording import REPOSITORY, tags_of


def test_every_component_is_built_here_but_the_cluster():
    defined = {
        node.name
        for path in (REPOSITORY / "components").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any("ComponentResource" in ast.unparse(base) for base in node.bases)
    }
    assert defined - {"Cluster"} == COMPONENTS.keys()


@pytest.mark.parametrize("preview", [False, True], ids=["update", "preview"])
@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_built_alone(deploy, name, preview):
    deployment = deploy(lambda: COMPONENTS[name]() and None, preview=preview)
    assert deployment.loose() == [], "every resource hangs off the component"
    (component,) = deployment.registrations(name).values()
    assert re.fullmatch(r"alone(-etcd-0|-api-0|-workers-general)?", component.name)
    outputs = deployment.component_outputs(name, component.name)
    assert all(re.fullmatch(r"[a-z][A-Za-z]*", key) for key in outputs), outputs
    for resource in deployment.resources:
        # What takes no tags, or none of ours, has no such input.
        tags = tags_of(resource.inputs)
        if tags is not None:
            assert tags["team"] == "platform", resource.name
