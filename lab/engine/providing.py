"""Provision of an engine from its parts: official ones, installed or downloaded, or stand-ins.

A lab keeps the stand-ins that it began with: its state was written with them.
"""

import importlib.metadata
import os
import secrets
import tempfile
from collections.abc import Mapping
from pathlib import Path

from lab.engine.aws import setup as aws_setup
from lab.engine.cli.pulumi_cli import VERSION, built_cli
from lab.engine.fetching import fetched_cli, fetched_plugin
from lab.engine.installation import has_stand_in, install_official, install_stand_in
from lab.engine.model import Engine, EngineError, Report
from lab.engine.official import cli_at, official_cli, official_plugin


def provide(state_dir: Path, report: Report) -> Engine:
    """Find or make the CLI, the language host and the providers; raises EngineError.

    Everything of this project goes below `state_dir`; what other projects can share goes into
    the user's cache.
    """
    home = state_dir.resolve() / "engine"
    for directory in (home, home / "state"):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    sources: dict[str, str] = {}
    pulumi = _cli(home, sources, report)
    _aws(home, pulumi, sources, report)
    _tls(home, pulumi, sources, report)
    return Engine(pulumi, _environment(home, pulumi), sources)


def _cli(home: Path, sources: dict[str, str], report: Report) -> Path:
    official, place = official_cli(), "on PATH"
    if official is None and not has_stand_in(home, "language", "python", VERSION):
        downloaded = fetched_cli(report)
        if downloaded is not None:
            again = f"remove {downloaded.parents[1]}, and it is downloaded again"
            official, place = cli_at(downloaded, again), "downloaded"
    if official is None:
        pulumi = built_cli(report)
        sources["CLI"] = f"built from its Go module v{VERSION}"
    else:
        pulumi = official.path
        sources["CLI"] = f"official {official.version}, {place}"
    if official is not None and official.language_host:
        sources["language host"] = "official, of the CLI"
    else:
        install_stand_in(
            home,
            "language",
            "python",
            VERSION,
            module="lab.engine.language.language_host",
            arguments=[VERSION],
        )
        sources["language host"] = "stand-in"
    return pulumi


def _aws(home: Path, pulumi: Path, sources: dict[str, str], report: Report) -> None:
    version = _sdk_version("pulumi-aws")
    if _official("aws", version, home, pulumi, report):
        sources["aws"] = f"official plugin {version}"
        return
    bridge = aws_setup.prepare(version, report)
    arguments = ["--binary", str(bridge.provider.binary), "--stubs", str(bridge.stubs)]
    arguments += ["--schemas", str(bridge.schemas), "--version", version]
    install_stand_in(
        home, "resource", "aws", version, module="lab.engine.aws.aws_host", arguments=arguments
    )
    sources["aws"] = f"stand-in, bridged to the Terraform AWS provider {bridge.provider.version}"


def _tls(home: Path, pulumi: Path, sources: dict[str, str], report: Report) -> None:
    version = _sdk_version("pulumi-tls")
    if _official("tls", version, home, pulumi, report):
        sources["tls"] = f"official plugin {version}"
        return
    install_stand_in(
        home, "resource", "tls", version, module="lab.engine.tls.tls_host", arguments=[version]
    )
    sources["tls"] = "stand-in"


def _official(name: str, version: str, home: Path, pulumi: Path, report: Report) -> bool:
    """Whether an official plugin could be made known to this home."""
    plugin = official_plugin(name, version, home)
    if plugin is None and not has_stand_in(home, "resource", name, version):
        plugin = fetched_plugin(pulumi, name, version, report)
    if plugin is not None:
        install_official(home, "resource", name, version, plugin)
    return plugin is not None


def _sdk_version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        message = f"the package {package} is not installed: install requirements.txt"
        raise EngineError(message) from None


def _environment(home: Path, pulumi: Path) -> Mapping[str, str]:
    passphrase = home / "passphrase"
    if not passphrase.exists():
        # In one step: an empty file left by an interruption would lock the stacks' secrets.
        descriptor, name = tempfile.mkstemp(dir=home)  # readable by its owner only
        with os.fdopen(descriptor, "w") as stream:
            stream.write(secrets.token_urlsafe(32) + "\n")
        Path(name).replace(passphrase)
    return {
        "PATH": f"{pulumi.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        "PULUMI_HOME": str(home),
        "PULUMI_BACKEND_URL": f"file://{home / 'state'}",
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        # The CLI and the Terraform provider live for seconds: up to this limit, collecting garbage
        # would be a fifth of the time that they compute.
        "GOGC": "off",
        "GOMEMLIMIT": "512MiB",
    }
