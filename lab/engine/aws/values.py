"""Values by schema: Pulumi properties to Terraform values and back."""

# ruff: noqa: ANN401 a Terraform value has no static type

from collections.abc import Mapping
from typing import Any

from lab.engine.aws.schema import REPEATED, Block, NestedBlock, Nesting, Type
from lab.engine.model import RefusedError
from lab.engine.properties import UNKNOWN


class PropertyError(RefusedError):
    """A property that the schema does not have, or of the wrong kind."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


def to_terraform(block: Block, properties: Mapping[str, Any], path: str = "") -> dict[str, Any]:
    """The configuration of a block; raises PropertyError."""
    given: dict[str, Any] = {}
    for name, value in properties.items():
        if name.startswith("__"):  # Pulumi's own bookkeeping
            continue
        if name not in block.by_property:
            raise PropertyError(path + name, "no such property in the AWS provider in use")
        given[block.by_property[name]] = value
    config: dict[str, Any] = {}
    for name, attribute in block.attributes.items():
        config[name] = _to_value(attribute.type, given.get(name), path + attribute.property)
    for name, nested in block.blocks.items():
        config[name] = _to_blocks(nested, given.get(name), path + nested.property)
    return config


def _to_blocks(nested: NestedBlock, value: Any, path: str) -> Any:
    if value is UNKNOWN:
        return UNKNOWN
    if nested.nesting in REPEATED:
        if value is None:
            return []
        items = value if isinstance(value, list) else [value]
        return [
            _to_block(nested, item, f"{path}." if nested.flat else f"{path}[{i}].")
            for i, item in enumerate(items)
        ]
    if value is None:
        return {} if nested.nesting is Nesting.MAP else None
    if nested.nesting is Nesting.MAP:
        return {key: _to_block(nested, item, f"{path}.{key}.") for key, item in value.items()}
    return _to_block(nested, value, path + ".")


def _to_block(nested: NestedBlock, value: Any, path: str) -> Any:
    if value is UNKNOWN:
        # A repeated block cannot itself be unknown inside a known list: all it holds is.
        return {
            **{name: UNKNOWN for name, a in nested.block.attributes.items() if a.settable},
            **{name: None for name, a in nested.block.attributes.items() if not a.settable},
            **dict.fromkeys(nested.block.blocks, UNKNOWN),
        }
    if not isinstance(value, Mapping):
        raise PropertyError(path.rstrip("."), "must be an object")
    return to_terraform(nested.block, value, path)


def _to_value(wanted: Type, value: Any, path: str) -> Any:
    if value is None or value is UNKNOWN:
        return value
    if wanted.kind in {"string", "number", "bool"}:
        return _to_primitive(wanted.kind, value, path)
    if wanted.kind in {"list", "set"}:
        if not isinstance(value, list):
            raise PropertyError(path, "must be a list")
        element = wanted.element or Type("dynamic")
        return [_to_value(element, item, f"{path}[{i}]") for i, item in enumerate(value)]
    if wanted.kind in {"map", "object"}:
        if not isinstance(value, Mapping):
            raise PropertyError(path, "must be an object")
        if wanted.kind == "map":
            element = wanted.element or Type("dynamic")
            return {key: _to_value(element, v, f"{path}.{key}") for key, v in value.items()}
        return _to_object(wanted, value, path)
    return value


def _to_object(wanted: Type, value: Mapping[str, Any], path: str) -> dict[str, Any]:
    members = wanted.members or {}
    known = {member.property for member in members.values()}
    for name in value:
        if name not in known and not name.startswith("__"):
            raise PropertyError(f"{path}.{name}", "no such property in the AWS provider in use")
    return {
        name: _to_value(member.type, value.get(member.property), f"{path}.{member.property}")
        for name, member in members.items()
    }


def _to_primitive(kind: str, value: Any, path: str) -> str | int | float | bool:
    if isinstance(value, Mapping | list):
        raise PropertyError(path, f"must be a {kind}")
    if kind == "string":
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    if kind == "bool":
        if value in (True, "true", "1"):
            return True
        if value in (False, "false", "0"):
            return False
        raise PropertyError(path, "must be true or false")
    try:
        number = float(value)
    except ValueError:
        raise PropertyError(path, "must be a number") from None
    return int(number) if number.is_integer() else number


def to_properties(block: Block, state: Mapping[str, Any]) -> dict[str, Any]:
    """The properties of a state or of a planned state; what is null or absent is left out."""
    properties: dict[str, Any] = {}
    for name, attribute in block.attributes.items():
        value = state.get(name)
        if value is not None:
            properties[attribute.property] = _from_value(attribute.type, value)
    for name, nested in block.blocks.items():
        value = _from_blocks(nested, state.get(name))
        if value is not None:
            properties[nested.property] = value
    return properties


def _from_blocks(nested: NestedBlock, value: Any) -> Any:
    if value is None or value is UNKNOWN:
        return value
    if nested.nesting in REPEATED:
        items = [UNKNOWN if v is UNKNOWN else to_properties(nested.block, v) for v in value]
        if nested.flat:
            return items[0] if items else None
        return items
    if nested.nesting is Nesting.MAP:
        return {key: to_properties(nested.block, item) for key, item in value.items()}
    return to_properties(nested.block, value)


def _from_value(given: Type, value: Any) -> Any:
    if value is None or value is UNKNOWN:
        return value
    if given.kind in {"list", "set"}:
        element = given.element or Type("dynamic")
        return [_from_value(element, item) for item in value]
    if given.kind == "map":
        element = given.element or Type("dynamic")
        return {key: _from_value(element, item) for key, item in value.items()}
    if given.kind == "object":
        members = given.members or {}
        return {
            members[name].property: _from_value(members[name].type, item)
            for name, item in value.items()
            if item is not None
        }
    return value
