"""Programs built from pinned Go modules, once per set of inputs, and kept in the cache."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lab.engine.cache import cache_directory, digest, published
from lab.engine.golang import go_toolchain
from lab.engine.model import EngineError, Report

REPORT_EVERY = 100
"""Packages compiled between two lines of progress."""


@dataclass(frozen=True, kw_only=True)
class GoBuild:
    """What is built, and from what."""

    title: str
    """What people call it: "etcd", "Pulumi 3.258.0"."""
    name: str
    """What its directory in the cache begins with."""
    module: Path
    """The directory of the go.mod and go.sum that pin every module of the build."""
    packages: Mapping[str, str]
    """Package by the name of its binary."""
    linker: str = "-s -w"
    """Flags of the linker, such as the version to put in."""
    estimate: str
    """How long it takes, for people."""
    disk: str
    """Free disk space that it needs, for people."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Flags of `go build`."""
        return ("-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", self.linker)

    def built(self, report: Report) -> Path:
        """The directory of the binaries in the cache, built first if need be; EngineError."""
        pins = {name: (self.module / name).read_bytes() for name in ("go.mod", "go.sum")}
        key = digest(*pins.values(), *self.packages, *self.flags)[:16]
        directory = cache_directory() / f"{self.name}-{key}"

        def build(work: Path) -> None:
            go = go_toolchain(report)
            report(f"building {self.title} from its Go modules: {self.estimate} on 2 cores, once")
            # Go builds beside its module files only; a copy keeps the checkout read-only.
            with tempfile.TemporaryDirectory(prefix="go-module-") as module:
                for name, content in pins.items():
                    (Path(module) / name).write_bytes(content)
                for binary, package in self.packages.items():
                    self._build(go, Path(module), work / binary, package, report)

        return published(directory, build)

    def _build(self, go: Path, module: Path, target: Path, package: str, report: Report) -> None:
        log = cache_directory() / f"{self.name}.log"
        with (
            log.open("w") as lines,
            subprocess.Popen(
                [str(go), "build", "-v", *self.flags, "-o", str(target), package],
                cwd=module,
                env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            try:
                last = _follow(process, lines.write, report)
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise EngineError(
                f"building {target.name} failed ({last or 'no reason given'}): check the "
                f"connection to the Go module registry and the free disk space ({self.disk}), "
                f"then try again; the compiler's output is in {log}"
            )


def _follow(process: subprocess.Popen[str], keep: Callable[[str], int], report: Report) -> str:
    """Read the compiler's output to its end; its last line."""
    compiled = downloaded = 0
    line = ""
    for line in process.stdout or ():
        keep(line)
        if line.startswith("go: downloading"):
            downloaded += 1
            if downloaded % REPORT_EVERY == 0:
                report(f"{downloaded} modules downloaded")
        else:
            compiled += 1
            if compiled % REPORT_EVERY == 0:
                report(f"{compiled} packages compiled")
    return line.strip()
