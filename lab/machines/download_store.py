"""The downloads of the nodes, built here and served under upstream's addresses.

They are not upstream's bytes, so their checksums are given to the stack, which is what a stack with
a mirror of its own does too. Equal binaries make equal archives: new checksums would replace every
node.
"""

import gzip
import hashlib
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from config.versions import ETCD, KUBERNETES, ArtifactName, Release
from lab.binaries.etcd_build import ETCD as ETCD_BUILD
from lab.binaries.etcd_build import built_etcd
from lab.binaries.kubernetes import built_kubernetes
from lab.engine.cache import cache_directory, published
from lab.engine.model import Report

ARCHITECTURE = "amd64"
"""What the lab builds for, and what stacks declare by default."""

CONTROL_PLANE: tuple[ArtifactName, ...] = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)


@dataclass(frozen=True)
class Store:
    """Files by the host and path under which upstream publishes them."""

    files: Mapping[tuple[str, str], Path]
    artifacts: Mapping[ArtifactName, Path]
    """The same files by what they are."""

    def find(self, host: str, path: str) -> Path | None:
        """The file at an address."""
        return self.files.get((host, path))

    def sha256(self) -> dict[ArtifactName, str]:
        """Checksums by artifact, as a stack's `artifacts.sha256` takes them."""
        return {name: _sha256(path) for name, path in self.artifacts.items()}


def hosts() -> set[str]:
    """The hosts that upstream's downloads are on."""
    return {urlsplit(release.url).netloc for release in (ETCD, KUBERNETES)}


def built_store(report: Report) -> Store:
    """Everything that nodes download, built first if need be; raises EngineError."""
    etcd, kubernetes = built_etcd(report), built_kubernetes(report)
    files: dict[ArtifactName, Path] = {"etcd": etcd_archive(etcd)}
    files |= {name: kubernetes / name for name in CONTROL_PLANE}
    releases: dict[ArtifactName, Release] = {"etcd": ETCD}
    releases |= dict.fromkeys(CONTROL_PLANE, KUBERNETES)
    return Store(
        files={_address(releases[name], name): path for name, path in files.items()},
        artifacts=files,
    )


def etcd_archive(binaries: Path) -> Path:
    """The binaries as upstream's archive has them."""
    name = f"etcd-v{ETCD.default}-linux-{ARCHITECTURE}"

    def build(work: Path) -> None:
        pack({f"{name}/{tool}": binaries / tool for tool in ETCD_BUILD.packages}, work / "tar.gz")

    return published(cache_directory() / f"{binaries.name}-archive", build) / "tar.gz"


def pack(members: Mapping[str, Path], target: Path) -> None:
    """Write executables into a .tar.gz whose bytes depend on their names and contents alone."""
    with (
        target.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", compresslevel=1, fileobj=file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name, path in sorted(members.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = path.stat().st_size, 0o755
            with path.open("rb") as content:
                archive.addfile(entry, content)


def _address(release: Release, name: ArtifactName) -> tuple[str, str]:
    url = urlsplit(release.url.format(version=release.default, arch=ARCHITECTURE, artifact=name))
    return url.netloc, url.path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
