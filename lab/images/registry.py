"""A registry of images for those who pull (OCI distribution specification, "Pull"). Nothing but
what is below is there: no tags to list, no one to log in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lab.images.oci_image import MANIFEST, blob, digest_of

_BLOB = "application/octet-stream"
_PATH = re.compile(r"/v2/(?P<name>.+)/(?P<kind>manifests|blobs)/(?P<reference>[^/]+)")


@dataclass(frozen=True)
class Content:
    """What a registry answers with."""

    file: Path
    media_type: str
    digest: str


@dataclass(frozen=True)
class Registry:
    """Images by their names, host included, and then by their tags: directories that
    `oci_image.write` filled."""

    images: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)

    @property
    def hosts(self) -> set[str]:
        """The hosts that names of images begin with."""
        return {name.partition("/")[0] for name in self.images}

    def find(self, host: str, path: str) -> Content | None:
        """What is at an address: a manifest by tag or digest, or a blob by digest."""
        match = _PATH.fullmatch(path)
        if match is None:
            return None
        reference = match["reference"]
        tags = self.images.get(f"{host}/{match['name']}", {})
        if match["kind"] == "manifests" and reference in tags:
            reference = digest_of(tags[reference])
        for image in tags.values():
            file = blob(image, reference)
            manifest = reference == digest_of(image)
            if file is not None and manifest == (match["kind"] == "manifests"):
                return Content(file, MANIFEST if manifest else _BLOB, reference)
        return None

    def reference(self, name: str, tag: str) -> str:
        """An image as pods name it, with its digest."""
        return f"{name}:{tag}@{digest_of(self.images[name][tag])}"
