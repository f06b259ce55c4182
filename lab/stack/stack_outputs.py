"""The stack's outputs, for people. Secrets stay hidden."""

import json
from collections.abc import Mapping
from typing import Any

import yaml
from rich.table import Table
from rich.text import Text

from lab.engine.model import Engine
from lab.stack.pulumi_environment import run_pulumi
from lab.workspace import STACK, Workspace


def read(workspace: Workspace, engine: Engine, environment: Mapping[str, str]) -> dict[str, Any]:
    """The outputs; a secret one is `[secret]`."""
    command = ("stack", "output", "--json", "--stack", STACK)
    answer = run_pulumi(workspace, engine, environment, *command)
    answer.check_returncode()
    return dict(json.loads(answer.stdout))


def table(outputs: Mapping[str, Any]) -> Table:
    """A row per output."""
    grid = Table("output", title="Outputs", title_justify="left")
    grid.add_column("value", overflow="fold")
    for name, value in outputs.items():
        grid.add_row(name, Text(_text(name, value)))
    return grid


def _text(name: str, value: object) -> str:
    if value == "[secret]":
        return f"secret; `pulumi stack output {name} --show-secrets`"
    if isinstance(value, str):
        first, _, rest = value.strip().partition("\n")
        return f"{first} ..." if rest else first
    if isinstance(value, Mapping) and all(isinstance(item, str) for item in value.values()):
        return "\n".join(f"{key}: {item}" for key, item in value.items())
    return yaml.safe_dump(value, default_flow_style=None, sort_keys=False, width=80).strip()
