"""pause, the first process of every pod, built from its source alongside: upstream's is in C."""

from pathlib import Path

from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

PAUSE = GoBuild(
    title="pause",
    name="pause",
    module=Path(__file__).with_suffix(""),
    packages={"pause": "ha-kubernetes/lab/binaries/pause"},
    estimate="a few seconds",
    disk="100 MB",
)


def built_pause(report: Report) -> Path:
    """The directory of the binary in the cache, built first if need be; raises EngineError."""
    return PAUSE.built(report)
