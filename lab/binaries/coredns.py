"""CoreDNS, built from its Go module with the plug-ins that the DNS of a cluster is made of.

Upstream's own has those for the DNS of clouds and for tracing too: three tenths of what there is to
compile, and nothing here configures them. Of the rest, two thirds are Kubernetes' own libraries,
which are compiled once for both: hence its build tags, and the versions in go.mod.
"""

from pathlib import Path

from config.container_images import COREDNS as IMAGE
from lab.binaries.kubernetes import KUBERNETES, built_kubernetes
from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

COREDNS = GoBuild(
    title=f"CoreDNS {IMAGE.tag}",
    name="coredns",
    module=Path(__file__).with_suffix(""),
    packages={"coredns": "ha-kubernetes/lab/binaries/coredns"},
    tags=KUBERNETES.tags,
    estimate="1 minute",
    disk="3 GB",
)


def built_coredns(report: Report) -> Path:
    """The directory of the binary in the cache, built first if need be; raises EngineError."""
    # With it most of this is compiled; at the same time it would be compiled twice.
    built_kubernetes(report)
    return COREDNS.built(report)
