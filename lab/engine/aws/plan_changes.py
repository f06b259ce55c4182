"""Changes of a plan, as property paths that Pulumi understands."""

# ruff: noqa: ANN401 a Terraform value has no static type

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.engine.aws.equality import same_blocks, same_value
from lab.engine.aws.schema import Block, NestedBlock, Nesting

Step = str | int


@dataclass(frozen=True)
class Change:
    """One difference between the prior and the planned state."""

    path: tuple[Step, ...]
    """Terraform's path; it ends above the first set, whose elements have no address."""
    property_path: str
    """Pulumi's path, as in `rules[0].expiration.days` or `tags["a.b"]`."""
    kind: str
    """ADD, DELETE or UPDATE."""
    settable: bool
    """Whether the program can set the property, or only the provider computes it."""

    def replaced_by(self, paths: Iterable[Sequence[Step]]) -> bool:
        """Whether one of the paths that require replacement is this one, above it or below it."""
        return any(all(a == b for a, b in zip(self.path, other, strict=False)) for other in paths)


def changes(block: Block, prior: Mapping[str, Any], planned: Mapping[str, Any]) -> list[Change]:
    """Every difference, except the identifier, which Pulumi keeps apart."""
    return [change for change in _in_block(block, prior, planned, (), "") if change.path != ("id",)]


def _in_block(
    block: Block,
    prior: Mapping[str, Any],
    planned: Mapping[str, Any],
    path: tuple[Step, ...],
    prefix: str,
) -> Iterator[Change]:
    for name, attribute in block.attributes.items():
        old, new = prior.get(name), planned.get(name)
        if same_value(attribute.type, old, new):
            continue
        at, shown = (*path, name), f"{prefix}{attribute.property}"
        if attribute.type.kind == "map" and isinstance(old, dict) and isinstance(new, dict):
            for key in dict.fromkeys([*old, *new]):
                if old.get(key) != new.get(key):
                    yield Change(
                        (*at, key),
                        shown + _key(key),
                        _kind(old.get(key), new.get(key)),
                        attribute.settable,
                    )
        else:
            yield Change(at, shown, _kind(old, new), attribute.settable)
    for name, nested in block.blocks.items():
        yield from _in_nested(
            nested, prior.get(name), planned.get(name), (*path, name), f"{prefix}{nested.property}"
        )


def _in_nested(
    nested: NestedBlock, old: Any, new: Any, path: tuple[Step, ...], shown: str
) -> Iterator[Change]:
    if same_blocks(nested, old, new):
        return
    if nested.nesting in {Nesting.SINGLE, Nesting.GROUP} and _both_blocks(old, new):
        yield from _in_block(nested.block, old, new, path, shown + ".")
    elif nested.nesting is Nesting.LIST and _both_lists(old, new) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            item = shown if nested.flat else f"{shown}[{index}]"
            yield from _in_block(nested.block, before, after, (*path, index), item + ".")
    else:
        yield Change(path, shown, _kind(old or None, new or None), settable=True)


def _both_blocks(old: Any, new: Any) -> bool:
    return isinstance(old, dict) and isinstance(new, dict)


def _both_lists(old: Any, new: Any) -> bool:
    return (
        isinstance(old, list)
        and isinstance(new, list)
        and all(isinstance(item, dict) for item in [*old, *new])
    )


def _kind(old: Any, new: Any) -> str:
    if old is None:
        return "ADD"
    return "DELETE" if new is None else "UPDATE"


def _key(key: str) -> str:
    """A map key as a step of a property path."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_-]*", key):
        return "." + key
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


def ignored(property_path: str, patterns: Iterable[str]) -> bool:
    """Whether a path is under one that the program told the engine to ignore."""
    for pattern in patterns:
        expression = re.escape(pattern).replace(r"\[\*\]", r"\[\d+\]").replace(r"\*", r"[^.\[]+")
        if re.match(rf"{expression}($|[.\[])", property_path):
            return True
    return False
