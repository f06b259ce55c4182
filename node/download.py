"""Binaries from the network, known by their checksums."""

import shutil
import tarfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.client import HTTPException
from pathlib import Path
from urllib.request import urlopen

from node import files
from node.errors import NodeError
from node.settings import Artifact, at


def install(artifact: Artifact, source: Callable[[str], str]) -> list[str]:
    """Install an artifact's binaries, unless these very bytes are installed; what was done.

    `source` says where to download what upstream has at a URL. Nobody asks it otherwise.

    NodeError when it is not to be had, has another checksum or lacks a binary.
    """
    if all(
        _record(artifact, name) == files.read(_record_path(artifact, name))
        for name in artifact.binaries
    ):
        return []
    artifact = replace(artifact, url=source(artifact.url))
    part = files.create(at(f"{artifact.directory}/.{artifact.sha256}.part"))
    try:
        _fetch(artifact, part)
        for name, binary in _unpack(artifact, part):
            files.install(binary, at(f"{artifact.directory}/{name}"), 0o755)
            files.write(_record_path(artifact, name), _record(artifact, name))
    except tarfile.TarError as error:
        raise NodeError(f"{artifact.url} is no archive: correct artifacts.mirror") from error
    finally:
        part.unlink(missing_ok=True)
    return [f"installed {', '.join(artifact.binaries)}"]


def _fetch(artifact: Artifact, part: Path) -> None:
    if not artifact.url.startswith("https://"):
        raise NodeError(f"{artifact.url} is not HTTPS: correct artifacts.mirror")
    try:
        with urlopen(artifact.url, timeout=30) as response, part.open("wb") as file:  # noqa: S310
            shutil.copyfileobj(response, file, 1 << 20)
    except (OSError, HTTPException) as error:
        raise NodeError(f"cannot download {artifact.url}: {error}") from error
    if (found := files.sha256(part)) != artifact.sha256:
        raise NodeError(
            f"{artifact.url} has the SHA-256 {found}, not {artifact.sha256}: "
            "it is damaged or another version; correct artifacts.mirror or artifacts.sha256"
        )


def _unpack(artifact: Artifact, part: Path) -> Iterator[tuple[str, Path]]:
    """Each binary in a file of its own. Paths in the archive are compared, never written to.

    What is no archive is the one binary itself, whatever upstream calls its file (`runc.amd64`).
    """
    if artifact.kind == "binary":
        yield artifact.binaries[0], part
        return
    with tarfile.open(part) as archive:
        members = {Path(member.name).name: member for member in archive if member.isfile()}
        for name in artifact.binaries:
            source = name in members and archive.extractfile(members[name])
            if not source:
                raise NodeError(f"{artifact.url} holds no {name}: correct artifacts.mirror")
            binary = at(f"{artifact.directory}/.{name}.new")
            with binary.open("wb") as file:
                shutil.copyfileobj(source, file)
            yield name, binary


def _record_path(artifact: Artifact, name: str) -> Path:
    return at(f"{artifact.directory}/.{name}.sha256")


def _record(artifact: Artifact, name: str) -> str:
    """The artifact that an installed binary came from, and the binary's own checksum."""
    return f"{artifact.sha256} {files.sha256(at(f'{artifact.directory}/{name}'))}\n"
