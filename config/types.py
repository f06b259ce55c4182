"""The base of every settings model, and the value types they share."""

import re
from datetime import timedelta
from ipaddress import IPv4Network
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

_DURATION = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?")


class Settings(BaseModel):
    """Frozen, camelCase in stack files, and closed: an unknown key is an error, not a typo kept."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
    )


def parse_duration(value: object) -> timedelta:
    """Read a duration as Kubernetes writes it: `15s`, `2m10s`, `1.5s`, `1h`.

    Raises ValueError for anything else, zero included.
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        raise ValueError("must be a duration such as 15s, 2m10s or 1h")
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    duration = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    if not duration:
        raise ValueError("must be longer than zero")
    return duration


def format_duration(duration: timedelta) -> str:
    """Write a duration in seconds for a Kubernetes flag: `15s`, `1.5s`."""
    seconds = duration.total_seconds()
    return f"{int(seconds) if seconds.is_integer() else seconds}s"


def parse_network(value: object) -> IPv4Network:
    """Read an IPv4 CIDR; ValueError when it is none or has host bits set."""
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str) or "/" not in value:
        raise ValueError("must be an IPv4 CIDR such as 10.0.0.0/16")
    try:
        return IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"must be an IPv4 CIDR such as 10.0.0.0/16 ({error})") from None


def _string_schema(pattern: str, example: str) -> WithJsonSchema:
    schema: dict[str, Any] = {"type": "string", "pattern": pattern, "examples": [example]}
    return WithJsonSchema(schema)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    _string_schema(r"^(\d+h)?(\d+m)?(\d+(\.\d+)?s)?$", "15s"),
]

Cidr = Annotated[
    IPv4Network,
    BeforeValidator(parse_network),
    PlainSerializer(str, return_type=str),
    _string_schema(r"^\d+\.\d+\.\d+\.\d+/\d+$", "10.0.0.0/16"),
]
