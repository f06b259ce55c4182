"""Scan of files for secrets, in every form in which one could get there."""

import base64
import gzip
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

PEM = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.+?-----END [A-Z ]*PRIVATE KEY-----", re.DOTALL
)
"""A private key, as a text has it."""

ENCRYPTION_KEY = re.compile(r"secret: ([A-Za-z0-9+/]{43}=)")
"""The key of an EncryptionConfiguration."""

SHORTEST = 16
"""Characters of a secret below which a find could be chance."""


def secrets_of(export: str) -> list[str]:
    """What is secret in `pulumi stack export --show-secrets`: every text below a mark."""
    return sorted({text for text in _secret_texts(json.loads(export)) if len(text) >= SHORTEST})


def _secret_texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict) and "plaintext" in value:
        yield from _texts(json.loads(value["plaintext"]))
    elif isinstance(value, dict):
        for item in value.values():
            yield from _secret_texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _secret_texts(item)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def private_keys(texts: Iterable[str]) -> list[str]:
    """The private keys within texts: raw, in JSON, or as base64 inside a kubeconfig."""
    found: set[str] = set()
    for text in (text.replace("\\n", "\n") for text in texts):
        found.update(match.group() for match in PEM.finditer(text))
        for word in re.findall(r"[A-Za-z0-9+/]{80,}={0,2}", text):
            found.update(match.group() for match in PEM.finditer(_decoded(word)))
    return sorted(found)


def encryption_keys(texts: Iterable[str]) -> list[str]:
    """The keys of encryption at rest within texts."""
    return sorted({match[1] for text in texts for match in ENCRYPTION_KEY.finditer(text)})


def _decoded(word: str) -> str:
    try:
        return base64.b64decode(word, validate=True).decode("ascii", "replace")
    except ValueError:
        return ""


def needles(secret: str) -> set[bytes]:
    """The forms of a secret: its longest line, which survives escaping and indentation, and as much
    of its base64 as does not depend on what stands around it."""
    line = max(secret.splitlines(), key=len).encode()
    forms = {line}
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + line)
        # The first group holds what stands before, the last one what comes after.
        forms.add(encoded[4 if offset else 0 : -4])
    return forms


def leaks(content: Mapping[str, bytes], secrets: Iterable[str]) -> list[str]:
    """The names of those that hold a secret in any form."""
    forms = set().union(*(needles(secret) for secret in secrets))
    assert all(len(form) >= SHORTEST for form in forms)
    return sorted(name for name, data in content.items() if any(form in data for form in forms))


def files_below(directory: Path, *, without: Iterable[str] = ()) -> dict[str, bytes]:
    """Every file's content, unpacked where it is gzip; links are not followed."""
    found = {}
    for path in directory.rglob("*"):
        name = str(path.relative_to(directory))
        if path.is_file() and not path.is_symlink() and name not in without:
            found[name] = unpacked(path.read_bytes())
    return found


def unpacked(data: bytes) -> bytes:
    """The data itself, or what it is the gzip of."""
    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data
