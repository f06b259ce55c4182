"""The raw Terraform state of a resource inside its Pulumi outputs, always as a secret."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf import struct_pb2

from lab.engine.aws.schema import Block
from lab.engine.aws.values import to_properties
from lab.engine.properties import Properties, carries, encode

RAW_STATE: Final = "__terraform"
"""The output that keeps what the next plan needs: the whole state and the provider's own bytes.

It repeats every sensitive attribute, so it is a secret whatever the resource is.
"""


@dataclass(frozen=True)
class RawState:
    """What Terraform would keep of a resource in its state file."""

    values: dict[str, Any]
    private: bytes
    version: int
    """The version of the schema that the values follow."""

    def to_text(self) -> str:
        """The text that goes into the output."""
        private = base64.b64encode(self.private).decode()
        return json.dumps(
            {"values": self.values, "private": private, "version": self.version},
            separators=(",", ":"),
        )


def raw_state(outputs: Mapping[str, Any]) -> RawState | None:
    """The raw state in the outputs, or None for a resource that is only read."""
    text = outputs.get(RAW_STATE)
    if not isinstance(text, str):
        return None
    document = json.loads(text)
    private = base64.b64decode(document["private"])
    return RawState(document["values"], private, document["version"])


def output_struct(
    block: Block, state: Mapping[str, Any], raw: str | None, inputs: Properties
) -> struct_pb2.Struct:
    """The outputs of a state or plan.

    Secret are the attributes that the schema calls sensitive, those whose input was secret, and
    those in which a secret input comes out again under another name.
    """
    properties = to_properties(block, state)
    secret = set(inputs.secret_names | block.sensitive_properties)
    if inputs.secret_texts:
        secret.update(
            name for name, value in properties.items() if carries(value, inputs.secret_texts)
        )
    if raw is not None:
        properties[RAW_STATE] = raw
        secret.add(RAW_STATE)
    return encode(properties, secret)


def resource_outputs(block: Block, state: RawState, inputs: Properties) -> struct_pb2.Struct:
    """The outputs of a resource that exists."""
    return output_struct(block, state.values, state.to_text(), inputs)
