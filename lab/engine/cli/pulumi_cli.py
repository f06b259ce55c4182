"""The Pulumi CLI, built from its Go module."""

from pathlib import Path

from lab.engine.gobuild import GoBuild
from lab.engine.model import Report

VERSION = "3.276.0"
"""The newest version whose module can be had; it runs programs of the Python SDK 3.272.0."""

_MODULE = "github.com/pulumi/pulumi/pkg/v3"

CLI = GoBuild(
    title=f"Pulumi {VERSION}",
    name="pulumi",
    module=Path(__file__).parent,
    packages={"pulumi": f"{_MODULE}/cmd/pulumi"},
    # Without validators of Envoy's messages, which nothing here calls: gRPC brings them along.
    tags="disable_pgv",
    # Other clouds than the one of the lab, and the API of Pulumi Cloud: nearly half of what there
    # was to compile. Whoever asks for one is told to install the official CLI.
    instead={
        package: Path(__file__).parent / "instead" / name
        for name, package in {
            "api": f"{_MODULE}/cmd/pulumi/cloud",
            "authhelpers": f"{_MODULE}/authhelpers",
            "azureblob": "gocloud.dev/blob/azureblob",
            "esc": f"{_MODULE}/cmd/esc/cli",
            "gcsblob": "gocloud.dev/blob/gcsblob",
            "s3blob": "gocloud.dev/blob/s3blob",
            "secrets": f"{_MODULE}/secrets/cloud",
        }.items()
    },
    linker=f"-s -w -X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{VERSION}",
    estimate="5 to 8 minutes",
    disk="5 GB",
)


def built_cli(report: Report) -> Path:
    """The CLI in the cache, built first if need be; raises EngineError."""
    return CLI.built(report) / "pulumi"
