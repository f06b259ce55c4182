"""Python modules of the Terraform plugin protocol, generated from its Go module at set-up.

The protocol file is under the MPL and is not copied into this project.
"""

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

from lab.engine.cache import cache_directory, digest, published
from lab.engine.golang import go_toolchain
from lab.engine.model import EngineError, Report

MODULE = "github.com/hashicorp/terraform-plugin-go@v0.29.0"
SUM = "h1:1nXKl/nSpaYIUBU1IG/EsDOX0vv+9JxAltQyDMpq5mU="
PROTOCOL_FILE = Path("tfprotov5", "internal", "tfplugin5", "tfplugin5.proto")


def protocol_stubs(report: Report) -> Path:
    """The directory of the generated modules; raises EngineError."""
    compiler = importlib.metadata.version("grpcio-tools")
    directory = cache_directory() / f"tfplugin5-{digest(MODULE, SUM, compiler)[:16]}"
    return published(directory, lambda work: _generate(work, report))


def _generate(work: Path, report: Report) -> None:
    report("generating the Terraform plugin protocol from its Go module")
    source = _download(go_toolchain(report)) / PROTOCOL_FILE
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{source.parent}"]
    command += [f"--python_out={work}", f"--grpc_python_out={work}", source.name]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        message = "the protocol compiler failed: install requirements-dev.txt again and retry"
        raise EngineError(message)


def _download(go: Path) -> Path:
    result = subprocess.run(
        [str(go), "mod", "download", "-json", MODULE], capture_output=True, text=True, check=False
    )
    answer = json.loads(result.stdout or "{}")
    if result.returncode != 0 or answer.get("Sum") != SUM:
        message = (
            "the Go module of the Terraform plugin protocol could not be had: check the "
            "connection to the Go module registry and try again"
        )
        raise EngineError(message)
    return Path(answer["Dir"])
