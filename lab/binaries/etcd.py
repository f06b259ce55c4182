"""etcd, etcdctl and etcdutl, built from their Go modules once per set of inputs."""

import os
import subprocess
import tempfile
from pathlib import Path

from lab.engine.cache import cache_directory, digest, published
from lab.engine.golang import go_toolchain
from lab.engine.model import EngineError, Report

MODULE = Path(__file__).with_suffix("")
"""Where go.mod and go.sum pin etcd's version and every module of the build."""

PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    "etcdctl": "go.etcd.io/etcd/etcdctl/v3",
    "etcdutl": "go.etcd.io/etcd/etcdutl/v3",
}

FLAGS = ("-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags=-s -w")


def built_etcd(report: Report) -> Path:
    """The directory of the binaries in the cache, built first if need be; raises EngineError."""
    pins = {name: (MODULE / name).read_bytes() for name in ("go.mod", "go.sum")}
    directory = cache_directory() / f"etcd-{digest(*pins.values(), *FLAGS)[:16]}"

    def build(work: Path) -> None:
        go = go_toolchain(report)
        report("building etcd from its Go modules: 1 to 2 minutes on 2 cores, once")
        # Go builds beside its module files only; a copy keeps the checkout read-only.
        with tempfile.TemporaryDirectory(prefix="etcd-module-") as module:
            for name, content in pins.items():
                (Path(module) / name).write_bytes(content)
            for binary, package in PACKAGES.items():
                _build(go, Path(module), work / binary, package)

    return published(directory, build)


def _build(go: Path, module: Path, target: Path, package: str) -> None:
    result = subprocess.run(
        [str(go), "build", *FLAGS, "-o", str(target), package],
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        reason = (result.stderr.strip().splitlines() or ["no reason given"])[-1]
        message = (
            f"building {target.name} failed ({reason}): check the connection to the Go module "
            "registry and the free disk space (2 GB), then try again"
        )
        raise EngineError(message)
