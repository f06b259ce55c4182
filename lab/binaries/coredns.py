"""CoreDNS, built from its Go module."""

from pathlib import Path

from config.container_images import COREDNS as IMAGE
from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

COREDNS = GoBuild(
    title=f"CoreDNS {IMAGE.tag}",
    name="coredns",
    module=Path(__file__).with_suffix(""),
    packages={"coredns": "github.com/coredns/coredns"},
    estimate="3 minutes",
    disk="3 GB",
)


def built_coredns(report: Report) -> Path:
    """The directory of the binary in the cache, built first if need be; raises EngineError."""
    return COREDNS.built(report)
