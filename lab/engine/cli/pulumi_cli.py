"""The Pulumi CLI, built from its Go module."""

from pathlib import Path

from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

VERSION = "3.258.0"
"""The newest version whose module can be had; it runs programs of the Python SDK 3.272.0."""

CLI = GoBuild(
    title=f"Pulumi {VERSION}",
    name="pulumi",
    module=Path(__file__).parent,
    packages={"pulumi": "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"},
    # Without validators of Envoy's messages, which nothing here calls: gRPC brings them along.
    tags="disable_pgv",
    instead={
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi/cloud": Path(__file__).with_name("without_api")
    },
    linker=f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}",
    estimate="5 to 8 minutes",
    disk="5 GB",
)


def built_cli(report: Report) -> Path:
    """The CLI in the cache, built first if need be; raises EngineError."""
    return CLI.built(report) / "pulumi"
