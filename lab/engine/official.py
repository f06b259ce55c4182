"""Official installations: Pulumi's CLI on PATH and its plugins."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lab.engine.model import EngineError

OLDEST_MAJOR = "v3."


@dataclass(frozen=True)
class OfficialCli:
    """A Pulumi CLI that was installed or downloaded."""

    path: Path
    version: str
    language_host: bool
    """Whether its Python language host is alongside it or on PATH."""


def official_cli() -> OfficialCli | None:
    """The CLI on PATH; raises EngineError if it does not work."""
    found = shutil.which("pulumi")
    return None if found is None else cli_at(Path(found), "mend it or take it off PATH")


def cli_at(path: Path, remedy: str) -> OfficialCli:
    """The CLI of this path; raises EngineError, with the remedy, if it does not work."""
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    result = subprocess.run(
        [path, "version"], capture_output=True, text=True, check=False, env=environment
    )
    version = result.stdout.strip()
    if result.returncode != 0 or not version.startswith(OLDEST_MAJOR):
        raise EngineError(f"{path} is not a working Pulumi CLI of version 3: {remedy}")
    beside = (path.resolve().parent / "pulumi-language-python").exists()
    return OfficialCli(path, version, beside or shutil.which("pulumi-language-python") is not None)


def plugin_directories() -> Iterator[Path]:
    """Where Pulumi keeps plugins for this user."""
    home = os.environ.get("PULUMI_HOME")
    if home:
        yield Path(home) / "plugins"
    yield Path.home() / ".pulumi" / "plugins"


def _is_script(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(2) == b"#!"


def official_plugin(name: str, version: str, home: Path) -> Path | None:
    """The directory of an installed resource plugin of exactly this version, or None.

    A plugin whose installation was cut short has a `.partial` file alongside it and does not count.
    Nor does what is in `home`, the lab's own, which is PULUMI_HOME in a shell of the lab: it would
    be linked to itself. Nor does another lab's stand-in, which is a script.
    """
    for directory in plugin_directories():
        plugin = directory / f"resource-{name}-v{version}"
        partial = plugin.with_name(plugin.name + ".partial")
        program = plugin / f"pulumi-resource-{name}"
        if (
            directory != home / "plugins"
            and program.is_file()
            and not _is_script(program)
            and not partial.exists()
        ):
            return plugin
    found = shutil.which(f"pulumi-resource-{name}")
    return Path(found).parent if found else None
