"""Tags of the stack's own: what every service that they reach accepts.

EC2 takes any character and tells `Team` from `team`; IAM, Elastic Load Balancing and Systems
Manager take fewer, and to IAM both are one. A tag that only some of them accept would stop an
update half-way.
"""

import unicodedata
from collections.abc import Iterator

MAX_TAGS = 40
"""AWS allows 50 on a resource, and the program adds its own."""

_MARKS = frozenset("_.:/=+-@")
"""Characters besides letters, numbers and blanks: [\\p{L}\\p{Z}\\p{N}_.:/=+\\-@] in the API
reference of IAM (Tag), Elastic Load Balancing and Systems Manager."""

_RESERVED_KEYS = frozenset({"name"})
_RESERVED_PREFIXES = ("aws:", "kubernetes.io/")


def _accepted(text: str) -> bool:
    # Of the separators (Z) only the blanks: line and paragraph separators would be other lines.
    return all(c in _MARKS or unicodedata.category(c)[0] in "LN" or _is_blank(c) for c in text)


def _is_blank(character: str) -> bool:
    return unicodedata.category(character) == "Zs"


def check_tags(tags: dict[str, str]) -> dict[str, str]:
    """The tags. ValueError, with all that is wrong, when a service would refuse them."""
    problems = [problem for key, value in tags.items() for problem in _problems(key, value)]
    seen: dict[str, str] = {}
    for key in tags:
        other = seen.setdefault(key.casefold(), key)
        if other != key:
            problems.append(
                f"must not have keys that differ in case only, as {other!r} and {key!r} do: they "
                "are one to IAM"
            )
    if len(tags) > MAX_TAGS:
        problems.append(
            f"must be at most {MAX_TAGS} tags: AWS allows 50, and the program adds its own"
        )
    if problems:
        raise ValueError("; ".join(problems))
    return tags


def _problems(key: str, value: str) -> Iterator[str]:
    if not 1 <= len(key) <= 128 or len(value) > 256:
        yield f"must have keys of 1 to 128 and values of up to 256 characters, unlike {key[:140]!r}"
    if not _accepted(key) or not _accepted(value):
        yield (
            "must be of letters, numbers, blanks and _ . : / = + - @ only, unlike "
            f"{key[:140]!r}: IAM and Elastic Load Balancing accept no other characters"
        )
    folded = key.casefold()
    if folded in _RESERVED_KEYS:
        yield f"must not use the key {key!r}: every resource has a Name of its own"
    if folded.startswith(_RESERVED_PREFIXES):
        yield (
            f"must not use the reserved key {key!r}: AWS sets aws:, and the program sets "
            "kubernetes.io/ where it belongs"
        )
    if value.casefold().startswith("aws:"):
        yield f"must not have values that begin with aws:, as that of {key!r} does"
