"""Artifacts: what a node downloads, and from where."""

from config import ClusterSettings
from config.versions import (
    CNI_PLUGINS,
    CONTAINERD,
    ETCD,
    KUBERNETES,
    RUNC,
    ArtifactName,
    Release,
)
from node.contract import CNI_BINARIES
from node.settings import Artifact

CONTROL_PLANE: tuple[ArtifactName, ...] = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
)

WORKER: tuple[ArtifactName, ...] = ("kubelet", "kube-proxy")

PLUGINS = ("bridge", "host-local", "loopback", "portmap", "ptp")
"""Network plug-ins: what the configuration of `node/worker` names, and what networks that people
install expect to be there."""


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


def worker_artifacts(settings: ClusterSettings) -> tuple[Artifact, ...]:
    """The container runtime, network plug-ins, kubelet and kube-proxy of a worker.

    Upstream's own: Debian's containerd 1.7 has no CRI RuntimeConfig, which kubelet 1.37 asks for.
    """
    containerd = _source(settings, CONTAINERD, CONTAINERD.default, "containerd")
    plugins = _source(settings, CNI_PLUGINS, CNI_PLUGINS.default, "cni-plugins")
    return (
        Artifact(*containerd, "tar.gz", ("containerd", "containerd-shim-runc-v2", "ctr")),
        Artifact(*_source(settings, RUNC, RUNC.default, "runc"), "binary", ("runc",)),
        Artifact(*plugins, "tar.gz", PLUGINS, CNI_BINARIES),
        *(
            Artifact(
                *_source(settings, KUBERNETES, settings.kubernetes_version, name), "binary", (name,)
            )
            for name in WORKER
        ),
    )


def _source(
    settings: ClusterSettings, release: Release, version: str, name: ArtifactName
) -> tuple[str, str]:
    """URL and SHA-256. Where a mirror stands in for upstream is for nodes to look up."""
    arch = settings.architecture
    url = release.url.format(version=version, arch=arch, artifact=name)
    published = release.sha256[version][arch][name]
    return url, settings.artifacts.sha256.get(name, published)
