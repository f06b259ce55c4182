"""The stack's settings, as its file has them. For proofs, which compare with the program."""

import json
from typing import Any

import yaml

from config import ClusterSettings, check
from lab.workspace import STACK, Workspace


def settings(workspace: Workspace) -> ClusterSettings:
    """The settings of the lab's stack. Raises ConfigError."""
    document = yaml.safe_load(workspace.stack_file.read_text(encoding="utf-8"))
    prefix = f"{workspace.project_name}:"
    values = {
        key.removeprefix(prefix): _typed(value)
        for key, value in document["config"].items()
        if key.startswith(prefix)
    }
    return check(values, stack=STACK)


def _typed(value: Any) -> Any:  # noqa: ANN401 - YAML
    """Pulumi writes numbers and truth values as text, and the program reads them as JSON."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
