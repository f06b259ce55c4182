"""The schemas of the types in the table, kept as small files so that no run parses all 1,500."""

# ruff: noqa: ANN401 a protocol message is a generated class without types

import json
from functools import cache
from pathlib import Path
from typing import Any

from lab.engine.aws.schema import Schema, parse_schema, plain_schema
from lab.engine.aws.terraform_client import Client, check
from lab.engine.aws.tokens import FUNCTIONS, RESOURCES
from lab.engine.model import EngineError


def write_schemas(client: Client, directory: Path) -> None:
    """Ask the provider for its schemas and keep those of the table.

    Raises EngineError when one is missing, ProviderError when the provider has no answer.
    """
    response = client.call("GetSchema", client.messages.GetProviderSchema.Request())
    check(response.diagnostics)
    _write(directory / "provider.json", response.provider)
    for kind, names, schemas in (
        ("resource", RESOURCES.values(), response.resource_schemas),
        ("data", FUNCTIONS.values(), response.data_source_schemas),
    ):
        for name in names:
            if name not in schemas:
                message = f"the Terraform AWS provider has no {name}: install version 5.100.0 of it"
                raise EngineError(message)
            _write(directory / kind / f"{name}.json", schemas[name])


def _write(path: Path, message: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(plain_schema(message)))


class SchemaStore:
    """Reads the schemas that a program uses, each once."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.resource = cache(lambda name: self._read("resource", name))
        self.data_source = cache(lambda name: self._read("data", name))

    def provider(self) -> Schema:
        """The schema of the provider's own configuration."""
        return parse_schema("provider", json.loads((self._directory / "provider.json").read_text()))

    def _read(self, kind: str, name: str) -> Schema:
        path = self._directory / kind / f"{name}.json"
        return parse_schema(name, json.loads(path.read_text()))
