"""containerd, its shim for runc and its command line, built from their Go module."""

from pathlib import Path

from config.versions import CONTAINERD as RELEASE
from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

_MODULE = "github.com/containerd/containerd/v2"

CONTAINERD = GoBuild(
    title=f"containerd {RELEASE.default}",
    name="containerd",
    module=Path(__file__).with_suffix(""),
    packages={
        name: f"{_MODULE}/cmd/{name}" for name in ("containerd", "containerd-shim-runc-v2", "ctr")
    },
    # As upstream's static release (its Makefile).
    tags="urfave_cli_no_docs,osusergo,netgo,static_build",
    linker=f"-s -w -X {_MODULE}/version.Version=v{RELEASE.default}",
    estimate="2 minutes",
    disk="2 GB",
)


def built_containerd(report: Report) -> Path:
    """The directory of the binaries in the cache, built first if need be; raises EngineError."""
    return CONTAINERD.built(report)
