"""Versions of what runs on the nodes, where it comes from, and its SHA-256; one place to bump.

Sums are upstream's, as kubernetes/kops and kubernetes-sigs/kubespray carry them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Architecture = Literal["amd64", "arm64"]
ArtifactName = Literal[
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "containerd",
    "runc",
    "cni-plugins",
]


@dataclass(frozen=True)
class Release:
    """A component's versions: SHA-256 by version, architecture and artifact."""

    url: str
    """Where an artifact is published; `{version}`, `{arch}` and `{artifact}` are filled in."""
    default: str
    """The version that a stack gets when it names none."""
    sha256: Mapping[str, Mapping[Architecture, Mapping[ArtifactName, str]]]

    @property
    def versions(self) -> tuple[str, ...]:
        """The versions that a stack may name."""
        return tuple(self.sha256)


KUBERNETES = Release(
    url="https://dl.k8s.io/release/v{version}/bin/linux/{arch}/{artifact}",
    default="1.36.3",
    sha256={
        "1.36.3": {
            "amd64": {
                "kube-apiserver": (
                    "1f217d397234a6d065da663c6e086fdb02c0f0de97a0758ff3e6f3956f4ef8ab"
                ),
                "kube-controller-manager": (
                    "7edfe976d5a06c7a702d653e914095f4a732a04bb2139115b6a6eba6a9b781c7"
                ),
                "kube-scheduler": (
                    "b8955d4518c902110b50a825364339b1fb673822518ce0ba081a69ed634f8eee"
                ),
                "kubelet": "46707a53209f826ad0f0d62371ac69cd00e78fd9a8176cf5f6f87f18f7f8b718",
                "kube-proxy": ("f1b5eb4462df9d98751264c6256628d90fdc72ba8e9a8025d1f75674f078f254"),
            },
            "arm64": {
                "kube-apiserver": (
                    "16001b9d35d23634c361a1e2b7b0fc7abe186984af697ef7a869c8c8cded78b7"
                ),
                "kube-controller-manager": (
                    "27868a5c822824945b93f2d8a724a5dcd99affc68b47230ae766bff8795bbb84"
                ),
                "kube-scheduler": (
                    "ca1c7cd0033942bf9ef7eac80e18375d91f6f29487244c3e685f11163b01a88d"
                ),
                "kubelet": "57205a5daf5883873d87b4914e1e00bdd7707acd075714788cfb0fc1f60bc414",
                "kube-proxy": ("5db204a2f79b26f676137052b45e391f6f8c93b85c85ef0a1f5d72647e3c7834"),
            },
        }
    },
)

# 3.6.14 is the floor: 3.6.8, which Kubernetes 1.36 ships, reads stale after a pause, cannot add a
# member while one is down, and can be stopped by anyone who opens TLS handshakes.
ETCD = Release(
    url=(
        "https://github.com/etcd-io/etcd/releases/download/v{version}/"
        "etcd-v{version}-linux-{arch}.tar.gz"
    ),
    default="3.6.14",
    sha256={
        "3.6.14": {
            "amd64": {"etcd": "ffe840ff9295808e88cce2794a18a5ac87f12a5203c8314d0bf6aa119b41bac5"},
            "arm64": {"etcd": "fa1b80565ee6fc2df1ae6f57a508b221f3ecc7d591c317c581cd8281b0842b3e"},
        }
    },
)

CONTAINERD = Release(
    url=(
        "https://github.com/containerd/containerd/releases/download/v{version}/"
        "containerd-{version}-linux-{arch}.tar.gz"
    ),
    default="2.3.4",
    sha256={
        "2.3.4": {
            "amd64": {
                "containerd": "9d68969855fbf676cdb8ed758e420fb048d61f984f61de3e53eddfebe484d168"
            },
            "arm64": {
                "containerd": "a985fbb7e18fc0362d31a055338f5d7b0e087a3e27f14c70d1c5965399a29f95"
            },
        }
    },
)

RUNC = Release(
    url="https://github.com/opencontainers/runc/releases/download/v{version}/runc.{arch}",
    default="1.4.3",
    sha256={
        "1.4.3": {
            "amd64": {"runc": "f6ae8efc0fa40079e1475e97cbe9d1bd3f106a28d6af78a11d9f1bd565515e60"},
            "arm64": {"runc": "633301e2e32f8a5ad54031aab4901eb00308bec677dd15faa2751e8f9dab5ca4"},
        }
    },
)

CNI_PLUGINS = Release(
    url=(
        "https://github.com/containernetworking/plugins/releases/download/v{version}/"
        "cni-plugins-linux-{arch}-v{version}.tgz"
    ),
    default="1.9.1",
    sha256={
        "1.9.1": {
            "amd64": {
                "cni-plugins": "b98f74a0f8522f0a83867178729c1aa70f2158f90c45a2ca8fa791db1c76b303"
            },
            "arm64": {
                "cni-plugins": "56171987d3947707c3563db2f4001bccaf50fd63468611b9f3cbecb1375ee7ec"
            },
        }
    },
)
