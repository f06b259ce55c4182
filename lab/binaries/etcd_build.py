"""etcd, etcdctl and etcdutl, built from their Go modules."""

from pathlib import Path

from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

ETCD = GoBuild(
    title="etcd",
    name="etcd",
    module=Path(__file__).with_name("etcd"),
    packages={
        "etcd": "go.etcd.io/etcd/server/v3",
        "etcdctl": "go.etcd.io/etcd/etcdctl/v3",
        "etcdutl": "go.etcd.io/etcd/etcdutl/v3",
    },
    estimate="1 to 2 minutes",
    disk="2 GB",
)


def built_etcd(report: Report) -> Path:
    """The directory of the binaries in the cache, built first if need be; raises EngineError."""
    return ETCD.built(report)
