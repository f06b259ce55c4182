"""Evaluation of IAM policy documents: whether they allow a request. Pure.

moto denies even what a resource-scoped statement allows, so it cannot say whether a node's role
holds what it must and no more. The rules are those of the IAM user guide, "Policy evaluation
logic", for identity-based policies: an explicit deny wins, and what nothing allows is denied.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

Document = Mapping[str, Any]


class UnknownConditionError(Exception):
    """A policy uses what this evaluator does not know, so it cannot decide."""


@dataclass(frozen=True)
class Permission:
    """One permission that a request needs."""

    action: str
    resource: str
    context: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    """Values of condition keys."""


def allowed(documents: Iterable[Document], permission: Permission) -> bool:
    """Whether the documents allow it. Raises UnknownConditionError."""
    effects = {
        statement["Effect"]
        for document in documents
        for statement in _list(document["Statement"])
        if _applies(statement, permission)
    }
    return "Allow" in effects and "Deny" not in effects


def _applies(statement: Document, permission: Permission) -> bool:
    return (
        _named(statement, "Action", permission.action, ignore_case=True)
        and _named(statement, "Resource", permission.resource, ignore_case=False)
        and all(
            _holds(operator, key, _list(values), permission.context)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        )
    )


def _named(statement: Document, element: str, value: str, *, ignore_case: bool) -> bool:
    if element in statement:
        return any(_like(p, value, ignore_case) for p in _list(statement[element]))
    return not any(_like(p, value, ignore_case) for p in _list(statement[f"Not{element}"]))


def _holds(operator: str, key: str, values: list[str], context: Mapping[str, Any]) -> bool:
    name = operator.removesuffix("IfExists")
    if name not in _OPERATORS:
        raise UnknownConditionError(f"the condition operator {operator} is not known here")
    present = {k.lower(): v for k, v in context.items()}.get(key.lower())
    negated, match = _OPERATORS[name]
    if name == "Null":
        return (present is None) == (str(values[0]).lower() == "true")
    if present is None:
        # IAM user guide: a missing key makes a negated condition true, any other one false.
        return negated or operator.endswith("IfExists")
    found = any(match(str(value), str(one)) for value in values for one in _list(present))
    return found != negated


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - JSON
    return list(value) if isinstance(value, list | tuple) else [value]


@cache
def _pattern(text: str, ignore_case: bool) -> re.Pattern[str]:  # noqa: FBT001 - hashable for the cache
    if "${" in text:
        raise UnknownConditionError(f"policy variables are not known here: {text}")
    escaped = re.escape(text).replace(r"\*", ".*").replace(r"\?", ".")
    return re.compile(escaped, re.DOTALL | (re.IGNORECASE if ignore_case else 0))


def _like(pattern: str, value: str, ignore_case: bool = False) -> bool:  # noqa: FBT001, FBT002
    return _pattern(pattern, ignore_case).fullmatch(value) is not None


def _equal(wanted: str, value: str) -> bool:
    return wanted == value


def _equal_ignoring_case(wanted: str, value: str) -> bool:
    return wanted.lower() == value.lower()


_OPERATORS: Mapping[str, tuple[bool, Callable[[str, str], bool]]] = {
    "StringEquals": (False, _equal),
    "StringNotEquals": (True, _equal),
    "StringEqualsIgnoreCase": (False, _equal_ignoring_case),
    "StringLike": (False, _like),
    "StringNotLike": (True, _like),
    "ArnEquals": (False, _like),
    "ArnLike": (False, _like),
    "Bool": (False, _equal_ignoring_case),
    "Null": (False, _equal),
}
"""Whether an operator is negated, and how it compares; the operators that statements of nodes and
buckets use."""
