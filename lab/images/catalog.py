"""The images that pods of the lab can run."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from config.container_images import COREDNS, IMAGES, PAUSE, ImageName
from lab.binaries.coredns import built_coredns
from lab.binaries.kubernetes import built_kubernetes
from lab.binaries.pause import built_pause
from lab.engine.cache import cache_directory, digest, published
from lab.engine.model import Report
from lab.images import oci_image
from lab.images.oci_image import Contents
from lab.images.registry import Registry

AGNHOST = ("registry.k8s.io/e2e-test-images/agnhost", "2.63.0")
"""Name and tag of the program of Kubernetes' own tests, as this release of Kubernetes has it
(test/images/agnhost/VERSION): servers and clients of HTTP and DNS, and webhooks. Upstream's image
has a shell besides."""


@dataclass(frozen=True)
class _Recipe:
    name: str
    tag: str
    built: Callable[[Report], Path]
    contents: Contents


RECIPES = (
    _Recipe(
        COREDNS.name,
        COREDNS.tag,
        built_coredns,
        Contents("coredns", user="65532:65532", low_ports=True),
    ),
    _Recipe(PAUSE.name, PAUSE.tag, built_pause, Contents("pause", user="65535:65535")),
    _Recipe(*AGNHOST, built_kubernetes, Contents("agnhost", user="0:0", arguments=("pause",))),
)
"""Each with the user and the arguments of upstream's."""


def hosts() -> set[str]:
    """The registries of the images."""
    return {recipe.name.partition("/")[0] for recipe in RECIPES}


def built_images(report: Report) -> Registry:
    """All images, built first if need be; raises EngineError."""
    images: dict[str, dict[str, Path]] = {}
    for recipe in RECIPES:
        images.setdefault(recipe.name, {})[recipe.tag] = _built(recipe, report)
    return Registry(images)


def references(registry: Registry) -> dict[ImageName, str]:
    """The cluster's own images as a stack's `artifacts.images` takes them: they are not upstream's
    bytes, so upstream's digests do not name them."""
    return {name: registry.reference(image.name, image.tag) for name, image in IMAGES.items()}


def _built(recipe: _Recipe, report: Report) -> Path:
    binaries = recipe.built(report)
    program = recipe.contents.program
    key = digest(repr(recipe.contents), Path(oci_image.__file__).read_bytes())[:16]
    directory = cache_directory() / f"{binaries.name}-{program}-image-{key}"
    return published(
        directory, lambda work: oci_image.write(recipe.contents, binaries / program, work)
    )
