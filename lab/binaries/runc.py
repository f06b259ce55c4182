"""runc, built from its Go module: static and with seccomp, as upstream's release is.

It is the one program with a part in C: without libseccomp it refuses every container that asks for
the runtime's default profile, which the cluster's own pods do.
"""

from pathlib import Path

from config.versions import RUNC as RELEASE
from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

RUNC = GoBuild(
    title=f"runc {RELEASE.default}",
    name="runc",
    module=Path(__file__).with_suffix(""),
    packages={"runc": "github.com/opencontainers/runc"},
    tags="seccomp,urfave_cli_no_docs,netgo,osusergo",
    linker="-s -w -extldflags -static",
    cgo=True,
    estimate="1 minute",
    disk="1 GB, and the packages gcc, libc6-dev, libseccomp-dev and pkg-config",
)


def built_runc(report: Report) -> Path:
    """The directory of the binary in the cache, built first if need be; raises EngineError."""
    return RUNC.built(report)
