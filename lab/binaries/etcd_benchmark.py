"""etcd's own benchmark, built from its Go module. Upstream publishes no binary of it."""

from pathlib import Path

from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

ETCD_BENCHMARK = GoBuild(
    title="etcd's benchmark",
    name="etcd-benchmark",
    module=Path(__file__).with_suffix(""),
    packages={"benchmark": "go.etcd.io/etcd/v3/tools/benchmark"},
    estimate="1 minute",
    disk="1 GB",
)


def built_etcd_benchmark(report: Report) -> Path:
    """The program in the cache, built first if need be; raises EngineError."""
    return ETCD_BENCHMARK.built(report) / "benchmark"
