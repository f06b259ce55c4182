"""The machine image in the cache."""

from pathlib import Path

from lab.engine.cache import cache_directory, digest, published
from lab.engine.model import Report
from lab.machines import recipe


def built_image(ca: bytes, report: Report) -> Path:
    """The root directory of the image, built first if need be; raises LabError.

    `ca` is the certificate in PEM that machines trust.
    """
    files = ((recipe.SOURCE / name).read_bytes() for name in recipe.FILES)
    key = digest(ca, Path(recipe.__file__).read_bytes(), *files)[:16]
    directory = cache_directory() / f"image-{recipe.SUITE}-{key}"

    def build(work: Path) -> None:
        report(f"building the machine image, Debian {recipe.SUITE}: 1 to 3 minutes, once")
        log = cache_directory() / "image.log"
        log.unlink(missing_ok=True)
        recipe.build(work / "root", ca, log)

    return published(directory, build) / "root"
