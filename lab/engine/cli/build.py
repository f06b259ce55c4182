"""Build the CLI once per set of inputs and keep it in the cache."""

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from lab.engine.cache import cache_directory, digest, published
from lab.engine.golang import go_toolchain
from lab.engine.model import EngineError, Report

VERSION = "3.258.0"
"""The newest version whose module can be had; it runs programs of the Python SDK 3.272.0."""

PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
VERSION_VARIABLE = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"

MODULE = Path(__file__).parent
"""Where go.mod and go.sum pin every module of the build."""

REPORT_EVERY = 100
"""Packages compiled between two lines of progress; the whole build has about 1,480."""


def built_cli(report: Report) -> Path:
    """The CLI in the cache, built first if need be; raises EngineError."""
    flags = _flags()
    inputs = [(MODULE / name).read_bytes() for name in ("go.mod", "go.sum")]
    directory = cache_directory() / digest(*inputs, *flags)

    def build(work: Path) -> None:
        _build(work / "pulumi", go_toolchain(report), flags, report)

    return published(directory, build) / "pulumi"


def _flags() -> list[str]:
    linker = f"-s -w -X {VERSION_VARIABLE}=v{VERSION}"
    return ["-trimpath", "-mod=readonly", "-buildvcs=false", "-ldflags", linker]


def _build(target: Path, go: Path, flags: list[str], report: Report) -> None:
    report(f"building Pulumi {VERSION} from its Go module: 7 to 10 minutes on 2 cores, once")
    log = cache_directory() / "build.log"
    # Go builds beside its module files only; a copy keeps the checkout read-only.
    with tempfile.TemporaryDirectory(prefix="pulumi-module-") as module:
        for name in ("go.mod", "go.sum"):
            (Path(module) / name).write_bytes((MODULE / name).read_bytes())
        command = [str(go), "build", "-v", *flags, "-o", str(target), PACKAGE]
        with log.open("w") as lines:
            process = subprocess.Popen(
                command,
                cwd=module,
                env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            try:
                _follow(process, lines.write, report)
            finally:
                if process.poll() is None:
                    process.kill()
                process.wait()
    if process.returncode != 0:
        message = (
            f"building Pulumi {VERSION} failed: check the connection to the Go module registry "
            f"and the free disk space (5 GB), then try again; the compiler's output is in {log}"
        )
        raise EngineError(message)


def _follow(process: subprocess.Popen[str], keep: Callable[[str], int], report: Report) -> None:
    compiled = downloaded = 0
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
