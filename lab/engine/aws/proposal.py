"""The proposed new state: the configuration, completed by what the provider computed before.

The rules are those of Terraform's objchange.ProposedNew: an attribute that the configuration
leaves out keeps its prior value if the provider may compute it; list elements meet by index, set
elements by what was configured of them.
"""

# ruff: noqa: ANN401 a Terraform value has no static type

from collections.abc import Mapping
from typing import Any

from lab.engine.aws.equality import same_set_element
from lab.engine.aws.schema import Block, NestedBlock, Nesting
from lab.engine.properties import UNKNOWN


def proposed_state(
    block: Block, prior: Mapping[str, Any] | None, config: Mapping[str, Any]
) -> dict[str, Any]:
    """The proposed new state of a block."""
    before = prior or {}
    proposed: dict[str, Any] = {}
    for name, attribute in block.attributes.items():
        value = config[name]
        if value is None and attribute.computed:
            value = before.get(name)
        proposed[name] = value
    for name, nested in block.blocks.items():
        proposed[name] = _proposed_blocks(nested, before.get(name), config[name])
    return proposed


def _proposed_blocks(nested: NestedBlock, prior: Any, config: Any) -> Any:
    if config is UNKNOWN or config is None:
        return config
    if nested.nesting is Nesting.LIST:
        known = prior if isinstance(prior, list) else []
        return [
            proposed_state(nested.block, known[i] if i < len(known) else None, item)
            for i, item in enumerate(config)
        ]
    if nested.nesting is Nesting.SET:
        return _proposed_set(nested.block, prior if isinstance(prior, list) else [], config)
    if nested.nesting is Nesting.MAP:
        known_map = prior or {}
        return {k: proposed_state(nested.block, known_map.get(k), v) for k, v in config.items()}
    return proposed_state(nested.block, prior, config)


def _proposed_set(block: Block, prior: list[Any], config: list[Any]) -> list[Any]:
    left = list(prior)
    proposed = []
    for item in config:
        match = next((old for old in left if same_set_element(block, old, item)), None)
        if match is not None:
            left.remove(match)
        proposed.append(proposed_state(block, match, item))
    return proposed
