"""What is wrong with a configuration, one line a problem: key, rule, value."""

from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails


class ConfigError(Exception):
    """The configuration cannot be used. Its text has one line for each problem."""


@dataclass(frozen=True)
class Problem:
    """A broken rule: the keys it reads (the one to change first), the rule, the value found."""

    keys: tuple[str, ...]
    rule: str
    value: object

    def __str__(self) -> str:
        """`key: rule, got value`."""
        if self.value is None:
            return f"{self.keys[0]}: {self.rule}"
        return f"{self.keys[0]}: {self.rule}, got {_shorten(self.value)}"


def _shorten(value: object) -> str:
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


_RULES = {
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping",
    "extra_forbidden": "is no known key (docs/configuration.md lists them)",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "missing": "must be set",
    "model_attributes_type": "must be a mapping",
    "model_type": "must be a mapping",
    "string_pattern_mismatch": "must match {pattern}",
    "string_too_long": "must have at most {max_length} characters",
    "string_type": "must be text",
    "too_long": "must have at most {max_length} entries",
    "value_error": "{error}",
}
"""pydantic's error types in the words of this configuration, filled from their context."""


def _rule(error: ErrorDetails) -> str:
    template = _RULES.get(error["type"])
    return error["msg"] if template is None else template.format_map(error.get("ctx", {}))


def problems_of(error: ValidationError) -> list[Problem]:
    """The problems of a failed validation, in the order of the keys.

    The alternatives of a union report one error each; they are told as one problem.
    """
    by_key: dict[str, Problem] = {}
    for details in error.errors(include_url=False):
        # A union adds the name of its alternative to the path; stack files know no such key.
        path = [str(part) for part in details["loc"] if part not in {"int", "list[str]"}]
        key = ".".join(path)
        if details["type"] == "missing":
            problem = Problem((key,), _rule(details), None)
        else:
            problem = Problem((key,), _rule(details), details["input"])
        earlier = by_key.get(key)
        if earlier is not None and earlier.rule != problem.rule:
            problem = Problem((key,), f"{earlier.rule} or {problem.rule}", problem.value)
        by_key[key] = problem
    return list(by_key.values())
