"""Artifacts: what a node downloads, and from where."""

from config import ClusterSettings
from config.versions import ETCD, KUBERNETES, ArtifactName, Release
from node.settings import Artifact

CONTROL_PLANE: tuple[ArtifactName, ...] = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)


def etcd_artifacts(settings: ClusterSettings) -> tuple[Artifact, ...]:
    """etcd and its two tools; since 3.6 snapshots are checked and restored by etcdutl only."""
    url, sha256 = _source(settings, ETCD, settings.etcd.version, "etcd")
    return (Artifact(url, sha256, "tar.gz", ("etcd", "etcdctl", "etcdutl")),)


def api_artifacts(settings: ClusterSettings) -> tuple[Artifact, ...]:
    """The three daemons of an API server VM."""
    return tuple(
        Artifact(
            *_source(settings, KUBERNETES, settings.kubernetes_version, name), "binary", (name,)
        )
        for name in CONTROL_PLANE
    )


def _source(
    settings: ClusterSettings, release: Release, version: str, name: ArtifactName
) -> tuple[str, str]:
    """URL and SHA-256. Where a mirror stands in for upstream is for nodes to look up."""
    arch = settings.architecture
    url = release.url.format(version=version, arch=arch, artifact=name)
    published = release.sha256[version][arch][name]
    return url, settings.artifacts.sha256.get(name, published)
