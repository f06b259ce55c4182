"""apiload: a load of clients on a Kubernetes API server, built from its source alongside."""

from pathlib import Path

from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

APILOAD = GoBuild(
    title="the load of the API",
    name="apiload",
    module=Path(__file__).with_suffix(""),
    packages={"apiload": "ha-kubernetes/lab/binaries/apiload"},
    estimate="1 minute",
    disk="1 GB",
)


def built_apiload(report: Report) -> Path:
    """The directory of the binary in the cache, built first if need be; raises EngineError."""
    return APILOAD.built(report)
