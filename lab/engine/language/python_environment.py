"""The Python environment of a program, as its Pulumi.yaml names it."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pulumi.runtime.proto import language_pb2

from lab.engine.model import RefusedError


@dataclass(frozen=True)
class RequiredPackage:
    """A provider plugin that an installed SDK package needs."""

    name: str
    version: str
    server: str
    """Where the plugin is downloaded from, if not from Pulumi."""


def interpreter(info: language_pb2.ProgramInfo) -> Path:
    """The python of the runtime option `virtualenv`, or the one that runs the host.

    Raises RefusedError when that does not exist.
    """
    options = info.options.fields
    name = options["virtualenv"].string_value if "virtualenv" in options else ""
    if not name:
        return Path(sys.executable)
    directory = Path(info.root_directory or info.program_directory) / name
    python = directory / "bin" / "python"
    if not python.exists():
        message = f"the virtual environment {directory} does not exist: run `make up` to create it"
        raise RefusedError(message)
    return python


def _site_packages(python: Path) -> Iterator[Path]:
    yield from python.parent.parent.glob("lib/python3*/site-packages")


def required_packages(python: Path) -> list[RequiredPackage]:
    """The plugins that installed packages name in their pulumi-plugin.json."""
    found: dict[str, RequiredPackage] = {}
    for site in _site_packages(python):
        for path in sorted(site.glob("*/pulumi-plugin.json")):
            plugin = json.loads(path.read_text())
            if plugin.get("resource"):
                found[plugin["name"]] = RequiredPackage(
                    name=plugin["name"],
                    version="v" + str(plugin["version"]).removeprefix("v"),
                    server=plugin.get("server") or "",
                )
    return list(found.values())


def versions(python: Path) -> list[tuple[str, str]]:
    """Name and version of every installed package."""
    found = []
    for site in _site_packages(python):
        for path in sorted(site.glob("*.dist-info")):
            match = re.fullmatch(r"(.+?)-([^-]+)\.dist-info", path.name)
            if match:
                found.append((match[1], match[2]))
    return found
