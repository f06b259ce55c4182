"""Kubernetes: control plane, kubelet, kube-proxy, kubectl, and agnhost, the program of its tests
that proofs use as an application; built from their Go modules."""

from pathlib import Path

from config.versions import KUBERNETES as RELEASE
from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

_VERSION = "k8s.io/component-base/version"

KUBERNETES = GoBuild(
    title=f"Kubernetes {RELEASE.default}",
    name="kubernetes",
    module=Path(__file__).with_suffix(""),
    packages={
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubectl",
            "kubelet",
            "kube-proxy",
        )
    }
    | {"agnhost": "k8s.io/kubernetes/test/images/agnhost"},
    # As upstream builds its releases (hack/lib/golang.sh); `selinux` concerns no module of these.
    tags="notest,grpcnotrace",
    # What upstream's build puts in (hack/lib/version.sh); without it the API server says v0.0.0.
    linker=" ".join(
        [
            "-s -w",
            f"-X {_VERSION}.gitVersion=v{RELEASE.default}",
            f"-X {_VERSION}.gitMajor={RELEASE.default.split('.')[0]}",
            f"-X {_VERSION}.gitMinor={RELEASE.default.split('.')[1]}",
            f"-X {_VERSION}.gitTreeState=clean",
        ]
    ),
    estimate="about 12 minutes",
    disk="6 GB",
)


def built_kubernetes(report: Report) -> Path:
    """The directory of the binaries in the cache, built first if need be; raises EngineError."""
    return KUBERNETES.built(report)
