"""The downloads of the nodes, built here and served under upstream's addresses.

They are not upstream's bytes, so their checksums are given to the stack, which is what a stack with
a mirror of its own does too. Equal binaries make equal archives: new checksums would replace every
node.
"""

import gzip
import hashlib
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from config.versions import (
    CNI_PLUGINS,
    CONTAINERD,
    ETCD,
    KUBERNETES,
    RUNC,
    ArtifactName,
    Release,
)
from lab.binaries.cni_plugins import built_cni_plugins
from lab.binaries.containerd import built_containerd
from lab.binaries.etcd_build import built_etcd
from lab.binaries.kubernetes import built_kubernetes
from lab.binaries.runc import built_runc
from lab.engine.cache import cache_directory, published
from lab.engine.model import Report
from lab.images import catalog
from lab.images.registry import Registry

ARCHITECTURE = "amd64"
"""What the lab builds for, and what stacks declare by default."""

RELEASES: Mapping[ArtifactName, Release] = {
    "etcd": ETCD,
    "kube-apiserver": KUBERNETES,
    "kube-controller-manager": KUBERNETES,
    "kube-scheduler": KUBERNETES,
    "kubelet": KUBERNETES,
    "kube-proxy": KUBERNETES,
    "containerd": CONTAINERD,
    "runc": RUNC,
    "cni-plugins": CNI_PLUGINS,
}
"""Where upstream publishes each artifact."""


@dataclass(frozen=True)
class Store:
    """Files by the host and path under which upstream publishes them."""

    files: Mapping[tuple[str, str], Path]
    artifacts: Mapping[ArtifactName, Path]
    """The same files by what they are."""
    images: Registry = field(default_factory=Registry)
    """What pods run."""

    def find(self, host: str, path: str) -> Path | None:
        """The file at an address."""
        return self.files.get((host, path))

    def sha256(self) -> dict[ArtifactName, str]:
        """Checksums by artifact, as a stack's `artifacts.sha256` takes them."""
        return {name: _sha256(path) for name, path in self.artifacts.items()}


def hosts() -> set[str]:
    """The hosts that upstream's downloads and images are on."""
    downloads = {urlsplit(release.url).netloc for release in RELEASES.values()}
    return downloads | catalog.hosts()


def built_store(report: Report) -> Store:
    """Everything that nodes download, built first if need be; raises EngineError."""
    kubernetes = built_kubernetes(report)
    files: dict[ArtifactName, Path] = {
        name: kubernetes / name for name, release in RELEASES.items() if release is KUBERNETES
    }
    etcd = f"etcd-v{ETCD.default}-linux-{ARCHITECTURE}/"
    files["etcd"] = archive(built_etcd(report), etcd)
    files["containerd"] = archive(built_containerd(report), "bin/")
    files["cni-plugins"] = archive(built_cni_plugins(report), "./")
    files["runc"] = built_runc(report) / "runc"
    return Store(
        files={_address(RELEASES[name], name): path for name, path in files.items()},
        artifacts=files,
        images=catalog.built_images(report),
    )


def archive(binaries: Path, prefix: str) -> Path:
    """All programs of a directory as upstream's archive has them, their names behind a prefix."""

    def build(work: Path) -> None:
        pack({f"{prefix}{path.name}": path for path in binaries.iterdir()}, work / "tar.gz")

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
