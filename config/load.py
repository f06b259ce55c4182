"""Read a stack's configuration once, whole, and tell everything that is wrong with it at once."""

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from config.problems import ConfigError, Problem, problems_of
from config.rules import broken_rules
from config.settings import ClusterSettings

_TEXT_KEYS = frozenset(
    to_camel(name)
    for name in ("cluster_name", "kubernetes_version", "ami", "architecture", "operator_access")
)
"""Keys whose value is text as it stands; Pulumi hands over every other value as JSON."""


def load() -> ClusterSettings:
    """The settings of the selected stack.

    Raises ConfigError with one line for each problem.
    """
    return check(_stack_values(), stack=pulumi.get_stack())


def check(values: Mapping[str, Any], *, stack: str) -> ClusterSettings:
    """Settings from the plain values of a stack file, keyed as there.

    `stack` names the cluster when `clusterName` is left out. Raises ConfigError.
    """
    given = {"clusterName": stack, **values}
    try:
        settings = ClusterSettings.model_validate(given)
        problems = []
    except ValidationError as error:
        problems = problems_of(error)
        settings = _without(given, problems)
    broken = {key for problem in problems for key in problem.keys}
    problems += [problem for problem in broken_rules(settings) if not _reads(problem, broken)]
    if problems:
        raise ConfigError("\n".join(str(problem) for problem in problems))
    return settings


def _without(values: Mapping[str, Any], problems: list[Problem]) -> ClusterSettings:
    """Settings with every broken key at its default, so that the rules between the others run."""
    repaired: dict[str, Any] = {"clusterName": "unnamed", **deepcopy(dict(values))}
    for problem in problems:
        _drop(repaired, problem.keys[0])
    repaired.setdefault("clusterName", "unnamed")
    try:
        return ClusterSettings.model_validate(repaired)
    except ValidationError:
        return ClusterSettings.model_validate({"clusterName": "unnamed"})


def _drop(values: dict[str, Any], key: str) -> None:
    parent: Any = values
    *parents, last = key.split(".")
    for name in parents:
        parent = parent.get(name) if isinstance(parent, dict) else None
    if isinstance(parent, dict):
        parent.pop(last, None)


def _reads(problem: Problem, broken: set[str]) -> bool:
    """Whether a rule read a key that is broken itself, or lies above or below such a key."""
    return any(
        f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")
        for key in problem.keys
        for other in broken
    )


def _stack_values() -> dict[str, Any]:
    prefix = f"{pulumi.get_project()}:"
    # The language host passes the configuration in the environment, the Automation API and the
    # tests in the context; pulumi.Config reads both but cannot list them.
    raw = {**get_config_env(), **CONFIG.get()}
    return {
        key.removeprefix(prefix): _decode(key.removeprefix(prefix), value)
        for key, value in raw.items()
        if key.startswith(prefix)
    }


def _decode(key: str, value: str) -> object:
    if key in _TEXT_KEYS:
        return value
    try:
        decoded: object = json.loads(value)
    except json.JSONDecodeError:
        return value
    return decoded
