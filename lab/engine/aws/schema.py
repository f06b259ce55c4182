"""The part of a Terraform schema that the bridge needs, with Pulumi's names worked out."""

# ruff: noqa: ANN401 a protocol message is a generated class without types

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from typing import Any

from lab.engine.aws.pulumi_names import SINGLE, property_name


class Nesting(IntEnum):
    """How a block repeats; the numbers are those of the plugin protocol."""

    SINGLE = 1
    LIST = 2
    SET = 3
    MAP = 4
    GROUP = 5


REPEATED = frozenset({Nesting.LIST, Nesting.SET})


@dataclass(frozen=True)
class Type:
    """A Terraform value type."""

    kind: str
    """string, number, bool, dynamic, list, set, map, object or tuple."""
    element: "Type | None" = None
    members: "Mapping[str, Member] | None" = None
    items: "tuple[Type, ...]" = ()


@dataclass(frozen=True)
class Member:
    """An attribute of an object type."""

    type: Type
    property: str


@dataclass(frozen=True)
class Attribute:
    """An attribute of a block."""

    name: str
    property: str
    type: Type
    settable: bool
    computed: bool
    sensitive: bool


@dataclass(frozen=True)
class NestedBlock:
    """A block inside a block."""

    name: str
    property: str
    nesting: Nesting
    flat: bool
    """Pulumi shows the one item itself instead of a list of one."""
    block: "Block"


@dataclass(frozen=True)
class Block:
    """Attributes and nested blocks by Terraform name."""

    attributes: Mapping[str, Attribute]
    blocks: Mapping[str, NestedBlock]

    @cached_property
    def by_property(self) -> Mapping[str, str]:
        """Terraform name by Pulumi property."""
        members: list[Attribute | NestedBlock] = [
            *self.attributes.values(),
            *self.blocks.values(),
        ]
        return {member.property: member.name for member in members}

    @cached_property
    def sensitive(self) -> bool:
        """Whether anything in the block is sensitive."""
        return any(a.sensitive for a in self.attributes.values()) or any(
            nested.block.sensitive for nested in self.blocks.values()
        )

    @cached_property
    def sensitive_properties(self) -> frozenset[str]:
        """The properties of this block that are sensitive or hold something sensitive."""
        return frozenset(
            [a.property for a in self.attributes.values() if a.sensitive]
            + [nested.property for nested in self.blocks.values() if nested.block.sensitive]
        )

    def property_of(self, name: str) -> str:
        """The Pulumi property of a Terraform name."""
        member = self.attributes.get(name) or self.blocks[name]
        return member.property


@dataclass(frozen=True)
class Schema:
    """A resource type, a data source or the provider's own configuration."""

    version: int
    block: Block


def plain_schema(message: Any) -> dict[str, Any]:
    """A protocol schema message as plain data, to be kept as JSON in the cache."""
    return {"version": message.version, "block": _plain_block(message.block)}


def _plain_block(block: Any) -> dict[str, Any]:
    return {
        "attributes": [
            {
                "name": attribute.name,
                "type": attribute.type.decode(),
                "settable": attribute.required or attribute.optional,
                "computed": attribute.computed,
                "sensitive": attribute.sensitive,
            }
            for attribute in block.attributes
        ],
        "blocks": [
            {
                "name": nested.type_name,
                "nesting": nested.nesting,
                "max_items": nested.max_items,
                "block": _plain_block(nested.block),
            }
            for nested in block.block_types
        ],
    }


def parse_schema(type_name: str, plain: Mapping[str, Any]) -> Schema:
    """The schema from the cached plain data."""
    return Schema(plain["version"], _parse_block(type_name, plain["block"]))


def _parse_block(path: str, plain: Mapping[str, Any]) -> Block:
    attributes = {}
    for attribute in plain["attributes"]:
        name = attribute["name"]
        value_type = parse_type(f"{path}.{name}", attribute["type"])
        attributes[name] = Attribute(
            name=name,
            property=property_name(f"{path}.{name}", many=value_type.kind in {"list", "set"}),
            type=value_type,
            settable=attribute["settable"],
            computed=attribute["computed"],
            sensitive=attribute["sensitive"],
        )
    blocks = {}
    for nested in plain["blocks"]:
        name = nested["name"]
        inner = f"{path}.{name}"
        nesting = Nesting(nested["nesting"])
        flat = nesting not in REPEATED or nested["max_items"] == 1 or inner in SINGLE
        blocks[name] = NestedBlock(
            name=name,
            property=property_name(inner, many=not flat),
            nesting=nesting,
            flat=flat,
            block=_parse_block(inner, nested["block"]),
        )
    return Block(attributes, blocks)


def parse_type(path: str, encoded: Any) -> Type:
    """A type from its JSON form; the path names the properties of object types."""
    if isinstance(encoded, str):
        if encoded[:1] in '["':
            return parse_type(path, json.loads(encoded))
        return Type(encoded)
    kind, argument = encoded
    if kind == "object":
        members = {}
        for name, member in argument.items():
            value_type = parse_type(f"{path}.{name}", member)
            many = value_type.kind in {"list", "set"}
            members[name] = Member(value_type, property_name(f"{path}.{name}", many=many))
        return Type(kind, members=members)
    if kind == "tuple":
        return Type(kind, items=tuple(parse_type(path, item) for item in argument))
    return Type(kind, element=parse_type(path, argument))
