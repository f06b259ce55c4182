"""The base of every settings model, and the value types they share."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Network
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel

DURATION_PATTERN = r"^([0-9]{1,7}h)?([0-9]{1,9}m)?([0-9]{1,9}(\.[0-9]{1,6})?s)?([0-9]{1,9}ms)?$"
"""Of the durations that Go's time.ParseDuration reads, those that people write. No exponent and no
sign; whole microseconds at the finest, which is what a timedelta holds."""

_DURATION = re.compile(
    r"(?:(\d{1,7})h)?(?:(\d{1,9})m)?(?:(\d{1,9}(?:\.\d{1,6})?)s)?(?:(\d{1,9})ms)?", re.ASCII
)

RESERVED_NETWORKS: tuple[tuple[IPv4Network, str], ...] = (
    (IPv4Network("0.0.0.0/8"), "this host"),
    (IPv4Network("127.0.0.0/8"), "loopback"),
    (IPv4Network("169.254.0.0/16"), "link-local"),
    (IPv4Network("224.0.0.0/4"), "multicast"),
    (IPv4Network("240.0.0.0/4"), "reserved"),
)
"""Ranges that no machine, pod or Service has an address in, and what they are (RFC 6890)."""


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
    """Read a duration as Kubernetes writes it: `15s`, `2m10s`, `1.5s`, `500ms`, `1h`.

    Raises ValueError for anything else, zero included.
    """
    if isinstance(value, timedelta):
        return value
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None or not any(match.groups()):
        raise ValueError("must be a duration such as 15s, 2m10s, 500ms or 1h")
    hours, minutes, seconds, milliseconds = (Decimal(part or 0) for part in match.groups())
    total = (hours * 60 + minutes) * 60 + seconds + milliseconds / 1000
    if not total:
        raise ValueError("must be longer than zero")
    return timedelta(microseconds=int(total * 10**6))


def format_duration(duration: timedelta) -> str:
    """Write a duration in seconds for a flag: `15s`, `1.5s`; decimals, never an exponent."""
    seconds, fraction = divmod(duration // timedelta(microseconds=1), 10**6)
    return f"{seconds}.{fraction:06d}".rstrip("0").rstrip(".") + "s"


def bounded(shortest: str, longest: str, *, whole_seconds: bool = False) -> AfterValidator:
    """A check that a duration lies between two, ends included.

    `whole_seconds` is for what becomes a number of seconds in a flag or in an API object.
    """
    low, high = parse_duration(shortest), parse_duration(longest)

    def check(duration: timedelta) -> timedelta:
        if not low <= duration <= high:
            raise ValueError(f"must be from {shortest} to {longest}")
        if whole_seconds and duration % timedelta(seconds=1):
            raise ValueError("must be whole seconds")
        return duration

    return AfterValidator(check)


def parse_network(value: object) -> IPv4Network:
    """Read an IPv4 CIDR.

    Raises ValueError when it is none, has host bits set, or lies in a range that is no network's.
    """
    if isinstance(value, IPv4Network):
        return value
    if not isinstance(value, str) or "/" not in value:
        raise ValueError("must be an IPv4 CIDR such as 10.0.0.0/16")
    try:
        network = IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"must be an IPv4 CIDR such as 10.0.0.0/16 ({error})") from None
    if not re.fullmatch(r"[0-9.]+/[0-9]{1,2}", value):
        raise ValueError("must be an IPv4 CIDR such as 10.0.0.0/16, with a prefix length")
    for reserved, use in RESERVED_NETWORKS:
        if network.subnet_of(reserved):
            raise ValueError(f"must not lie in {reserved} ({use})")
    return network


def check_addressable(network: IPv4Network) -> IPv4Network:
    """Check a network that machines, pods or Services get addresses from.

    Raises ValueError when part of it is reserved.
    """
    for reserved, use in RESERVED_NETWORKS:
        if network.overlaps(reserved):
            raise ValueError(f"must not overlap {reserved} ({use})")
    return network


def check_distinct_networks(networks: list[IPv4Network]) -> list[IPv4Network]:
    """Check a list of networks that each become a rule. ValueError when one is there twice."""
    twice = sorted({str(network) for network in networks if networks.count(network) > 1})
    if twice:
        raise ValueError(f"must name each CIDR once; {', '.join(twice)} is there twice")
    return networks


def _string_schema(pattern: str, example: str) -> WithJsonSchema:
    schema: dict[str, Any] = {"type": "string", "pattern": pattern, "examples": [example]}
    return WithJsonSchema(schema)


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration, return_type=str),
    _string_schema(DURATION_PATTERN, "15s"),
]

Cidr = Annotated[
    IPv4Network,
    BeforeValidator(parse_network),
    PlainSerializer(str, return_type=str),
    _string_schema(r"^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+/[0-9]{1,2}$", "10.0.0.0/16"),
]


def one_of(versions: tuple[str, ...]) -> Callable[[str], str]:
    """A check that a version is one of those in config/versions.py."""

    def check(version: str) -> str:
        if version not in versions:
            raise ValueError(f"must be one of {', '.join(versions)} (config/versions.py)")
        return version

    return check
