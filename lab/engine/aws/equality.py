"""Equality of two Terraform values: sets have no order."""

# ruff: noqa: ANN401 a Terraform value has no static type

from collections.abc import Mapping
from typing import Any

from lab.engine.aws.schema import REPEATED, Block, NestedBlock, Nesting, Type
from lab.engine.properties import UNKNOWN


def same_value(kind: Type, one: Any, other: Any) -> bool:
    """Whether two values of a type are the same."""
    if one is None or other is None or one is UNKNOWN or other is UNKNOWN:
        return one is other
    if kind.kind == "set":
        element = kind.element or Type("dynamic")
        return _same_without_order(one, other, lambda a, b: same_value(element, a, b))
    if kind.kind == "list":
        element = kind.element or Type("dynamic")
        return len(one) == len(other) and all(
            same_value(element, a, b) for a, b in zip(one, other, strict=True)
        )
    if kind.kind == "map":
        element = kind.element or Type("dynamic")
        return one.keys() == other.keys() and all(
            same_value(element, one[key], other[key]) for key in one
        )
    if kind.kind == "object":
        members = kind.members or {}
        return all(same_value(m.type, one.get(n), other.get(n)) for n, m in members.items())
    return bool(one == other)


def same_block(block: Block, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two values of a block are the same."""
    return all(
        same_value(attribute.type, one.get(name), other.get(name))
        for name, attribute in block.attributes.items()
    ) and all(
        same_blocks(nested, one.get(name), other.get(name)) for name, nested in block.blocks.items()
    )


def same_blocks(nested: NestedBlock, one: Any, other: Any) -> bool:
    """Whether two values of a nested block are the same; no items and null are."""
    if one is UNKNOWN or other is UNKNOWN:
        return one is other
    if nested.nesting in REPEATED:
        first, second = one or [], other or []
        if nested.nesting is Nesting.SET:
            return _same_without_order(first, second, lambda a, b: same_block(nested.block, a, b))
        return len(first) == len(second) and all(
            same_block(nested.block, a, b) for a, b in zip(first, second, strict=True)
        )
    if nested.nesting is Nesting.MAP:
        first_map, second_map = one or {}, other or {}
        return first_map.keys() == second_map.keys() and all(
            same_block(nested.block, first_map[key], second_map[key]) for key in first_map
        )
    if one is None or other is None:
        return one is other
    return same_block(nested.block, one, other)


def same_set_element(block: Block, prior: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Whether a prior set element is the one configured: what was left to the provider is free."""
    for name, attribute in block.attributes.items():
        if attribute.computed and config[name] is None:
            continue
        if not same_value(attribute.type, prior.get(name), config[name]):
            return False
    for name, nested in block.blocks.items():
        first, second = prior.get(name), config[name]
        if nested.nesting not in REPEATED:
            if not same_blocks(nested, first, second):
                return False
            continue
        if second is UNKNOWN or len(first or []) != len(second):
            return False
        if not _same_without_order(
            first or [], second, lambda a, b, inner=nested.block: same_set_element(inner, a, b)
        ):
            return False
    return True


def _same_without_order(one: list[Any], other: list[Any], same: Any) -> bool:
    if len(one) != len(other):
        return False
    left = list(other)
    for item in one:
        index = next((i for i, candidate in enumerate(left) if same(item, candidate)), None)
        if index is None:
            return False
        del left[index]
    return True
