"""Read a stack's configuration once, whole, and tell everything that is wrong with it at once."""

import json
import re
from collections.abc import Mapping
from difflib import SequenceMatcher
from typing import Any

import pulumi
from pulumi.runtime.config import CONFIG, get_config_env
from pydantic import ValidationError
from pydantic.alias_generators import to_camel

from config.cluster_settings import ClusterSettings
from config.problems import ConfigError, Path, Problem, problems_of
from config.rules import broken_rules

NAMESPACE = "ha-kubernetes"
"""Namespace of every key, which is the name of the Pulumi project."""

_TEXT_KEYS = frozenset(
    to_camel(name)
    for name in (
        "cluster_name",
        "kubernetes_version",
        "ami",
        "architecture",
        "operator_access",
        "gate_timeout",
    )
)
"""Keys whose value is text as it stands; Pulumi hands over every other value as JSON."""

_KEYS = frozenset(field.alias for field in ClusterSettings.model_fields.values() if field.alias)

_REGION = re.compile(r"[a-z]{2,3}(-[a-z]+)+-\d{1,2}", re.ASCII)

_ALIKE = 0.75
"""How alike two namespaces are, from 0 to 1, when one is taken for a misspelt other."""


def load() -> ClusterSettings:
    """The settings of the selected stack.

    Raises ConfigError with one line for each problem.
    """
    prefix = f"{pulumi.get_project()}:"
    # The language host passes the configuration in the environment, the Automation API and the
    # tests in the context; pulumi.Config reads both but cannot list them.
    raw = {**get_config_env(), **CONFIG.get()}
    own = {key.removeprefix(prefix): raw[key] for key in raw if key.startswith(prefix)}
    return check(
        {key: _decode(key, value) for key, value in own.items()},
        stack=pulumi.get_stack(),
        others={key: value for key, value in raw.items() if not key.startswith(prefix)},
    )


def check(
    values: Mapping[str, Any], *, stack: str, others: Mapping[str, object] = {}
) -> ClusterSettings:
    """Settings from the plain values of a stack file, keyed as there.

    `stack` names the cluster when `clusterName` is left out. `others` are the values of other
    namespaces by their whole key, such as `aws:region`. Raises ConfigError.
    """
    given = {"clusterName": stack, **values}
    problems, settings, removed = _validate(given)
    problems += [problem for problem in broken_rules(settings) if not _reads(problem, removed)]
    problems += _around(others)
    if problems:
        raise ConfigError("\n".join(str(problem) for problem in problems))
    return settings


def _validate(given: dict[str, Any]) -> tuple[list[Problem], ClusterSettings, set[str]]:
    """The problems of each key, settings without what is broken, and the keys that went with it.

    What is broken is taken out again and again, because a mapping that lost a key may lack it, and
    a mapping of zones may be too small; the rules between the other keys can then be asked.
    """
    problems: list[Problem] = []
    removed: set[str] = set()
    values = given
    while True:
        try:
            return problems, ClusterSettings.model_validate(values), removed
        except ValidationError as error:
            found = problems_of(error, values)
        # What is found later, in what is left, is the same problem once more.
        problems = problems or [_explained(path, problem) for path, problem in found]
        broken = {_deepest_key(values, path) for path, _ in found}
        if () in broken:
            # Not to be found, so nothing is kept and no rule is asked: taking out must end.
            return problems, ClusterSettings(clusterName="unnamed"), set(_KEYS)
        for path in broken:
            values = _without(values, path)
        removed |= {".".join(path) for path in broken}
        values.setdefault("clusterName", "unnamed")


def _deepest_key(values: dict[str, Any], path: Path) -> tuple[str, ...]:
    """The part of a path that leads to the deepest key of a mapping.

    A list goes as a whole, since what is left of it would be another list, and a missing key takes
    the mapping with it that lacks it.
    """
    if not path or path[0] not in values:
        return ()
    first = str(path[0])
    inside = values[first]
    return (first, *(_deepest_key(inside, path[1:]) if isinstance(inside, dict) else ()))


def _without(values: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any]:
    """The values without a key, which may be gone already."""
    first, *rest = path
    if rest and isinstance(values.get(first), dict):
        return {**values, first: _without(values[first], tuple(rest))}
    return {key: value for key, value in values.items() if key != first}


def _explained(path: Path, problem: Problem) -> Problem:
    """A problem, with the remedy where a path was given for a key."""
    key = str(path[0]) if len(path) == 1 else ""
    if key in _KEYS or re.split(r"[.\[]", key)[0] not in _KEYS:
        return problem
    rule = (
        "is a path that was set without --path: run pulumi config rm "
        f"{key}, and then pulumi config set --path {key} with the value"
    )
    return Problem((key,), rule, problem.value)


def _reads(problem: Problem, removed: set[str]) -> bool:
    """Whether a rule read a key that was taken out, or lies above or below such a key."""
    return any(
        f"{key}.".startswith(f"{other}.") or f"{other}.".startswith(f"{key}.")
        for key in problem.keys
        for other in removed
    )


def _around(others: Mapping[str, object]) -> list[Problem]:
    """Problems of other namespaces: a misspelt one, which nothing would read, and the region."""
    problems = []
    for key in others:
        namespace, _, name = key.partition(":")
        alike = SequenceMatcher(None, namespace.casefold(), NAMESPACE).ratio() >= _ALIKE
        # Names of providers are alike too, such as kubernetes, and have keys of their own.
        ours = re.split(r"[.\[]", name)[0] in _KEYS
        if alike and (ours or namespace.casefold().startswith("ha")):
            rule = f"is read by nobody; is {NAMESPACE}:{name} meant?"
            problems.append(Problem((key,), rule, None))
    region = others.get("aws:region")
    if region is not None and not _REGION.fullmatch(str(region)):
        rule = "must be a region such as eu-central-1, in lower case and without a zone's letter"
        problems.append(Problem(("aws:region",), rule, region))
    return problems


def _decode(key: str, value: str) -> object:
    if key in _TEXT_KEYS:
        return value
    try:
        decoded: object = json.loads(value, parse_int=_whole_number)
    except (json.JSONDecodeError, RecursionError):
        return value
    return decoded


def _whole_number(text: str) -> int | str:
    """A number; the text of one that is too long for Python, which then is no number to a rule."""
    try:
        return int(text)
    except ValueError:
        return text
