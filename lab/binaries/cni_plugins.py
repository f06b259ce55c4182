"""The CNI plug-ins that workers use, built from their Go module."""

from pathlib import Path

from config.versions import CNI_PLUGINS as RELEASE
from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

_MODULE = "github.com/containernetworking/plugins"

CNI_PLUGINS = GoBuild(
    title=f"the CNI plug-ins {RELEASE.default}",
    name="cni-plugins",
    module=Path(__file__).with_suffix(""),
    packages={
        path.rpartition("/")[2]: f"{_MODULE}/plugins/{path}"
        for path in (
            "ipam/host-local",
            "main/bridge",
            "main/loopback",
            "main/ptp",
            "meta/portmap",
        )
    },
    linker=f"-s -w -X {_MODULE}/pkg/utils/buildversion.BuildVersion=v{RELEASE.default}",
    estimate="1 minute",
    disk="1 GB",
)


def built_cni_plugins(report: Report) -> Path:
    """The directory of the binaries in the cache, built first if need be; raises EngineError."""
    return CNI_PLUGINS.built(report)
