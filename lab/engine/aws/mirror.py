"""Local mirrors, in which the Terraform AWS provider is found as Terraform itself would, without a
registry.

Layouts and search order are Terraform's (CLI configuration, `provider_installation`): unpacked
`<host>/<namespace>/<type>/<version>/<os>_<arch>/` directories and packed zip archives.
"""

import os
import platform
import re
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.engine.cache import cache_directory, digest, published
from lab.engine.model import EngineError

ADDRESS = Path("registry.terraform.io", "hashicorp", "aws")
BINARY = "terraform-provider-aws*"

NEWEST_PROTOCOL_5 = (5,)
"""Major versions whose names and types the table and pulumi-aws 7 share, tried first."""

MISSING = (
    "no AWS provider was found, and Pulumi's plugin was not downloaded: let this machine reach "
    "github.com or get.pulumi.com (HTTPS_PROXY, or PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES for a "
    "mirror; without HA_LAB_OFFLINE), install the plugin (`pulumi plugin install resource aws "
    "{version}`), put the Terraform AWS provider 5.100.0 into ~/.terraform.d/plugins "
    "(`terraform providers mirror`), or point TF_PLUGIN_DIR at a directory that has it"
)


@dataclass(frozen=True)
class TerraformProvider:
    """A Terraform AWS provider on this machine."""

    binary: Path
    version: str


def machine() -> str:
    """Terraform's name of this platform."""
    system = "darwin" if sys.platform == "darwin" else "linux"
    architecture = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine())
    return f"{system}_{architecture or platform.machine()}"


def candidate_directories() -> Iterator[Path]:
    """Every directory that may hold a provider tree, most wanted first."""
    environment = os.environ
    if environment.get("TF_PLUGIN_DIR"):
        yield Path(environment["TF_PLUGIN_DIR"])
    home = Path.home()
    yield home / ".terraform.d" / "plugins"
    data_home = environment.get("XDG_DATA_HOME") or str(home / ".local" / "share")
    shared = (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":")
    for directory in [data_home, *shared, "/usr/local/share", "/usr/share"]:
        if directory:
            yield Path(directory) / "terraform" / "plugins"
    yield from configured_mirrors()
    for tree in sorted(Path("/opt").glob("*/registry.terraform.io")):
        yield tree.parent


def configured_mirrors() -> Iterator[Path]:
    """The filesystem mirrors of Terraform's CLI configuration file."""
    path = Path(os.environ.get("TF_CLI_CONFIG_FILE") or Path.home() / ".terraformrc")
    if not path.is_file():
        return
    text = re.sub(r"(?m)^\s*(#|//).*$", "", path.read_text())
    for block in re.findall(r"filesystem_mirror\s*\{(.*?)\}", text, re.DOTALL):
        for value in re.findall(r'\bpath\s*=\s*"([^"]+)"', block):
            yield Path(value).expanduser()


def find_provider(pulumi_version: str) -> TerraformProvider:
    """The provider to use, unpacked if it is an archive; raises EngineError."""
    for directory in candidate_directories():
        found = [*_unpacked(directory), *_packed(directory)]
        if found:
            version, path = max(found, key=lambda item: _rank(item[0]))
            binary = _unzip(path) if path.suffix == ".zip" else path
            return TerraformProvider(binary, version)
    raise EngineError(MISSING.format(version=pulumi_version))


def _rank(version: str) -> tuple[bool, tuple[int, ...]]:
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:3])
    return numbers[:1] == NEWEST_PROTOCOL_5, numbers


def _unpacked(directory: Path) -> Iterator[tuple[str, Path]]:
    for binary in directory.joinpath(ADDRESS).glob(f"*/{machine()}/{BINARY}"):
        if binary.is_file() and os.access(binary, os.X_OK):
            yield binary.parent.parent.name, binary


def _packed(directory: Path) -> Iterator[tuple[str, Path]]:
    for archive in directory.joinpath(ADDRESS).glob(f"terraform-provider-aws_*_{machine()}.zip"):
        yield archive.name.split("_")[1], archive


def _unzip(archive: Path) -> Path:
    status = archive.stat()
    key = digest(str(archive.resolve()), f"{status.st_size} {status.st_mtime_ns}")[:16]

    def extract(work: Path) -> None:
        with zipfile.ZipFile(archive) as content:
            content.extractall(work)
        for binary in work.glob(BINARY):
            binary.chmod(0o755)

    directory = published(cache_directory() / f"terraform-provider-aws-{key}", extract)
    binary = next(iter(sorted(directory.glob(BINARY))), None)
    if binary is None:
        message = f"{archive} holds no AWS provider: put a complete archive in its place"
        raise EngineError(message)
    return binary
