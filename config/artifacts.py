"""`artifacts`: other places for binaries and images, and the sums of what they serve."""

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from config.change import IN_PLACE, Change, Effect
from config.container_images import IMAGES, REFERENCE_PATTERN, ImageName
from config.types import Settings
from config.versions import ArtifactName

_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
MIRROR_PATTERN = (
    rf"^https://{_LABEL}(\.{_LABEL})*(:[0-9]{{1,5}})?(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*$"
)
"""A host, a port, a path. A query or a fragment would have the path appended behind it, and a
password would be told to every node in the clear."""


def _check_mirror(mirror: str | None) -> str | None:
    if mirror is None:
        return None
    if not re.fullmatch(MIRROR_PATTERN.strip("^$"), mirror):
        raise ValueError(
            "must be a URL of https, a host and a path, such as https://mirror.example/base, "
            "without user, query and fragment"
        )
    try:
        port = urlsplit(mirror).port
    except ValueError:
        port = 0
    if port == 0:
        raise ValueError("must have a port of 1 to 65535, or none")
    return mirror.rstrip("/")


ImageReference = Annotated[str, Field(max_length=300, pattern=REFERENCE_PATTERN)]

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ArtifactSettings(Settings):
    """`artifacts`: other places for binaries and images, and the sums of what they serve."""

    mirror: Annotated[
        Annotated[str, Field(max_length=200, json_schema_extra={"pattern": MIRROR_PATTERN})] | None,
        AfterValidator(_check_mirror),
        IN_PLACE,
    ] = None
    """Base URL that stands in for the upstream hosts; the paths below it stay upstream's."""
    sha256: Annotated[
        dict[ArtifactName, Sha256],
        Change(Effect.ROLLS_ALL, "the tier that runs the artifact"),
    ] = Field(default_factory=dict)
    """SHA-256 of artifacts that are not byte-equal to upstream's, by name."""
    images: Annotated[
        dict[ImageName, ImageReference],
        Change(Effect.IN_PLACE, "CoreDNS rolls; `pause` rolls every pool"),
    ] = Field(default_factory=dict)
    """Images of a registry of your own, by name, each with its digest:
    `registry.example/coredns:v1@sha256:...`. Workers pull them from there, without a password."""

    def image(self, name: ImageName) -> str:
        """The reference of an image: the stack's own, or upstream's."""
        return self.images.get(name) or str(IMAGES[name])
