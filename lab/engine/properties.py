"""Pulumi's property values: from and to `google.protobuf.Struct`, with unknowns and secrets.

The signatures and the unknown sentinels are constants of the engine's wire format
(sdk/go/common/resource/sig and sdk/go/common/resource/plugin/rpc.go).
"""

# ruff: noqa: ANN401 a property value has no static type

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from google.protobuf import struct_pb2

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 a type marker, not a secret
UNKNOWN_TEXT: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
UNKNOWN_TEXTS: Final = frozenset(
    {
        UNKNOWN_TEXT,
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # bool
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)


class Unknown(Enum):
    """A value that is known only after the apply."""

    VALUE = "unknown"


UNKNOWN: Final = Unknown.VALUE

SHORTEST_TRACED_SECRET: Final = 8
"""Characters; a shorter secret would be found by chance inside harmless text."""


@dataclass(frozen=True)
class Properties:
    """Decoded properties: plain values, and what of them is secret."""

    values: Mapping[str, Any]
    secret_names: frozenset[str]
    """Top-level properties that are secret or hold a secret."""
    secret_texts: frozenset[str]
    """Every text that came in as a secret, so that it can be recognised where it comes out."""


def decode(struct: struct_pb2.Struct) -> Properties:
    """Decode a struct; secrets are unwrapped and remembered."""
    values: dict[str, Any] = {}
    names: set[str] = set()
    texts: set[str] = set()
    for name, value in struct.fields.items():
        before = len(texts)
        values[name], secret = _decode(value, texts, inside_secret=False)
        if secret or len(texts) > before:
            names.add(name)
    return Properties(values, frozenset(names), frozenset(texts))


def _decode(value: struct_pb2.Value, texts: set[str], *, inside_secret: bool) -> tuple[Any, bool]:
    kind = value.WhichOneof("kind")
    if kind == "struct_value":
        fields = value.struct_value.fields
        if SIGNATURE in fields and fields[SIGNATURE].string_value == SECRET:
            return _decode(fields["value"], texts, inside_secret=True)[0], True
        members = {
            name: _decode(member, texts, inside_secret=inside_secret)
            for name, member in fields.items()
        }
        found = any(secret for _, secret in members.values())
        return {name: member for name, (member, _) in members.items()}, found
    if kind == "list_value":
        items = [_decode(v, texts, inside_secret=inside_secret) for v in value.list_value.values]
        return [item for item, _ in items], any(secret for _, secret in items)
    plain = _decode_plain(value)
    if inside_secret and isinstance(plain, str) and plain:
        texts.add(plain)
    return plain, False


def _decode_plain(value: struct_pb2.Value) -> str | float | bool | Unknown | None:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value in UNKNOWN_TEXTS else value.string_value
    if kind == "number_value":
        number = value.number_value
        return int(number) if number.is_integer() else number
    return value.bool_value if kind == "bool_value" else None


def encode(values: Mapping[str, Any], secret_names: Iterable[str] = ()) -> struct_pb2.Struct:
    """Encode values; the named top-level ones as secrets."""
    struct = struct_pb2.Struct()
    secret = frozenset(secret_names)
    for name, value in values.items():
        target = struct.fields[name]
        if name in secret:
            wrapper = target.struct_value.fields
            wrapper[SIGNATURE].string_value = SECRET
            target = wrapper["value"]
        _encode(value, target)
    return struct


def _encode(value: Any, target: struct_pb2.Value) -> None:
    if value is None:
        target.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        target.string_value = UNKNOWN_TEXT
    elif isinstance(value, bool):
        target.bool_value = value
    elif isinstance(value, int | float):
        target.number_value = value
    elif isinstance(value, str):
        target.string_value = value
    elif isinstance(value, Mapping):
        target.struct_value.SetInParent()
        for name, member in value.items():
            _encode(member, target.struct_value.fields[name])
    else:
        target.list_value.SetInParent()
        for item in value:
            _encode(item, target.list_value.values.add())


def texts_in(value: Any) -> Iterator[str]:
    """Every text inside a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for member in value.values():
            yield from texts_in(member)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts_in(item)


def carries(value: Any, secret_texts: Iterable[str]) -> bool:
    """Whether a value holds a secret: a long one anywhere in its texts, a short one exactly."""
    secrets = list(secret_texts)
    return any(
        text == secret or (len(secret) >= SHORTEST_TRACED_SECRET and secret in text)
        for text in texts_in(value)
        for secret in secrets
    )


def redacted(message: str, secret_texts: Iterable[str]) -> str:
    """The message with every traceable secret replaced."""
    for secret in sorted(secret_texts, key=len, reverse=True):
        if len(secret) >= SHORTEST_TRACED_SECRET:
            message = message.replace(secret, "[secret]")
    return message
