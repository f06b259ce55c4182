"""What is wrong with a configuration, one line a problem: key, rule, value."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]
"""Where in a stack's values something is: keys of mappings, and places in lists."""


class ConfigError(Exception):
    """The configuration cannot be used. Its text has one line for each problem."""


@dataclass(frozen=True)
class Problem:
    """A broken rule: the keys it reads (the one to change first), the rule, the value found."""

    keys: tuple[str, ...]
    rule: str
    value: object

    def __str__(self) -> str:
        """`key: rule, got value`, on one line whatever the key and the value are."""
        key = _shorten(self.keys[0] if self.keys[0].isprintable() else repr(self.keys[0]))
        # Rules quote values too, and a list of long ones would fill the screen.
        rule = self.rule if self.rule.isprintable() else repr(self.rule)
        if self.value is None:
            return f"{key}: {rule}"
        return f"{key}: {rule}, got {_shorten(_text(self.value))}"


def _text(value: object) -> str:
    """A value as people read it; Python refuses to print numbers of thousands of digits."""
    try:
        # Containers print what is in them as repr does: no line ends.
        text = repr(value) if isinstance(value, str) else str(value)
    except (ValueError, RecursionError):
        return "a value too large to show"
    return text if text.isprintable() else repr(text)


def _shorten(text: str) -> str:
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
    "string_unicode": "must be text of whole Unicode characters",
    "too_long": "must have at most {max_length} entries",
    "value_error": "{error}",
}
"""pydantic's error types in the words of this configuration, filled from their context."""


def _rule(error: ErrorDetails) -> str:
    template = _RULES.get(error["type"])
    return error["msg"] if template is None else template.format_map(error.get("ctx", {}))


def path_in(values: object, location: Sequence[str | int]) -> Path:
    """The part of pydantic's location that is in the values.

    A union adds the name of its alternative and a mapping's key the word [key]; neither is in the
    stack file. The last part of a missing key is kept, wherever it belongs.
    """
    path: list[str | int] = []
    for number, part in enumerate(location):
        inside = (isinstance(values, dict) and part in values) or (
            isinstance(values, list) and isinstance(part, int) and part < len(values)
        )
        if inside:
            path.append(part)
            values = values[part]  # type: ignore[index]
        elif number == len(location) - 1 and isinstance(values, dict) and part != "[key]":
            path.append(part)
    return tuple(path)


def problems_of(error: ValidationError, values: object) -> list[tuple[Path, Problem]]:
    """The problems of a failed validation and where they are, in the order of the keys.

    The alternatives of a union report one error each; they are told as one problem.
    """
    found: dict[Path, Problem] = {}
    for details in error.errors(include_url=False):
        path = path_in(values, details["loc"])
        key = ".".join(str(part) for part in path)
        value = None if details["type"] == "missing" else details["input"]
        problem = Problem((key,), _rule(details), value)
        earlier = found.get(path)
        if earlier is not None and problem.rule not in earlier.rule.split(" or "):
            problem = Problem((key,), f"{earlier.rule} or {problem.rule}", problem.value)
        elif earlier is not None:
            problem = earlier
        found[path] = problem
    return list(found.items())
