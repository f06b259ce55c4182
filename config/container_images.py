"""Container images that the cluster itself runs, by digest; one place to bump.

Digests are of the index over all architectures, as several independent projects carry them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

ImageName = Literal["coredns", "pause"]

REFERENCE_PATTERN = (
    r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+"
    r"(:[A-Za-z0-9_][A-Za-z0-9_.-]{0,127})?@sha256:[0-9a-f]{64}$"
)
"""A reference with a registry and a digest: `registry.example/path:tag@sha256:...`, the tag being
for people."""


@dataclass(frozen=True)
class Image:
    """An image under its real name."""

    name: str
    tag: str
    digest: str

    def __str__(self) -> str:
        """The reference as containerd takes it; of tag and digest the digest counts."""
        return f"{self.name}:{self.tag}@{self.digest}"


COREDNS = Image(
    "registry.k8s.io/coredns/coredns",
    "v1.14.7",
    "sha256:7efd3c635b03efd68c4e8398fc45f0d993d0e9ab016f72c1cefb0fd6d01aa286",
)

PAUSE = Image(
    "registry.k8s.io/pause",
    "3.10.2",
    "sha256:f548e0e8e3dc1896ca956272154dde3314e8cc4fde0a57577ee9fa1c63f5baf4",
)
"""What holds the namespaces of a pod (containerd: sandbox)."""

IMAGES: Mapping[ImageName, Image] = {"coredns": COREDNS, "pause": PAUSE}
"""Every image, by the name that `artifacts.images` has for it."""
