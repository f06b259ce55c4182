"""Public SSH keys as OpenSSH writes them, decoded and compared with what they call themselves."""

import base64
import binascii
import json
import re
from typing import Annotated

from pydantic import AfterValidator, Field

MAX_KEYS_BYTES = 3000
"""Of all keys together: nodes read them from a parameter, which holds 4 KB."""

MIN_RSA_BITS = 2048

_CURVES = {"nistp256": 32, "nistp384": 48, "nistp521": 66}
"""Bytes of a coordinate."""

_TYPES = (
    "ssh-ed25519",
    "ssh-rsa",
    *(f"ecdsa-sha2-{curve}" for curve in _CURVES),
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
)
"""What OpenSSH 10 of Debian 13 accepts (sshd: PubkeyAcceptedAlgorithms); sk- keys live on FIDO
hardware. RSA keys sign with SHA-2."""

PUBLIC_KEY_PATTERN = rf"^({'|'.join(re.escape(kind) for kind in _TYPES)}) [A-Za-z0-9+/]+=*( .*)?$"


class _Blob:
    """The inside of a key: fields, each with its length before it (RFC 4251, section 5)."""

    def __init__(self, content: bytes) -> None:
        self._left = content

    def field(self) -> bytes:
        """The next one. ValueError when it is cut off."""
        length, rest = int.from_bytes(self._left[:4], "big"), self._left[4:]
        if len(self._left) < 4 or len(rest) < length:
            raise ValueError("it is cut off")
        self._left = rest[length:]
        return rest[:length]

    def end(self) -> None:
        """Check that nothing follows."""
        if self._left:
            raise ValueError("more follows than a key has")


def _check_inside(kind: str, blob: _Blob) -> None:
    inside = blob.field().decode("ascii", "replace")
    if inside != kind:
        raise ValueError(f"it is of type {inside[:40]!r}")
    if kind == "ssh-rsa":
        exponent, modulus = (int.from_bytes(blob.field(), "big") for _ in range(2))
        if exponent < 3 or modulus.bit_length() < MIN_RSA_BITS:
            raise ValueError(f"RSA keys need {MIN_RSA_BITS} bits at least")
    elif "ecdsa" in kind:
        curve, point = blob.field().decode("ascii", "replace"), blob.field()
        if curve not in kind or len(point) != 1 + 2 * _CURVES.get(curve, 0) or point[0] != 4:
            raise ValueError("it holds no point of its curve")
    elif len(blob.field()) != 32:
        raise ValueError("an Ed25519 key has 32 bytes")
    if kind.startswith("sk-") and not blob.field():
        raise ValueError("it names no application")
    blob.end()


def _check(key: str) -> str:
    if not re.fullmatch(PUBLIC_KEY_PATTERN.strip("^$"), key, re.DOTALL):
        raise ValueError(
            "must be an OpenSSH public key: a type, base64, and a comment if you like; types are "
            f"{', '.join(_TYPES)}"
        )
    kind, encoded, *comment = key.split(" ", 2)
    try:
        content = base64.b64decode(encoded, validate=True)
        _check_inside(kind, _Blob(content))
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"must be a whole key of type {kind}: {error}") from None
    said = comment[0] if comment else ""
    # Parameter Store takes {{ for a reference to another parameter, and refuses it.
    if not said.isprintable() or "{{" in said:
        raise ValueError("must have a comment of printable characters, without {{")
    return key


def check_keys(keys: list[str]) -> list[str]:
    """The keys. ValueError when they are too long together."""
    size = len(json.dumps(keys, ensure_ascii=False).encode())
    if size > MAX_KEYS_BYTES:
        raise ValueError(
            f"must have at most {MAX_KEYS_BYTES} bytes together: they are in one parameter, which "
            f"holds 4 KB; these have {size}"
        )
    return keys


PublicKey = Annotated[
    str, AfterValidator(_check), Field(json_schema_extra={"pattern": PUBLIC_KEY_PATTERN})
]
"""An OpenSSH public key: type, base64, and a comment if you like."""
