"""Installation of plugins where the CLI looks for them:
`$PULUMI_HOME/plugins/<kind>-<name>-v<version>/`.

Plugins on PATH would do as well, but the CLI warns about each of them in every run.
"""

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from lab.engine.cache import cache_directory

ROOT = Path(__file__).resolve().parents[2]
"""The directory that holds the package `lab`."""


def install_stand_in(
    home: Path, kind: str, name: str, version: str, *, module: str, arguments: Sequence[str]
) -> None:
    """Install a plugin that runs a host module of this package with this Python."""
    start = (
        f"import sys; sys.dont_write_bytecode = False; sys.path.insert(0, {str(ROOT)!r}); "
        f"from {module} import main; main(sys.argv[1:])"
    )
    # -P: a program's own directory must not be able to replace what the host imports.
    # Compiled modules have a place of their own: where the environment forbids to write them
    # alongside their sources, every start would compile the SDKs again, at about 3 s.
    bytecode = f"pycache_prefix={cache_directory() / 'bytecode'}"
    words = [sys.executable, "-P", "-X", bytecode, "-c", start, *arguments]
    script = f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n'
    directory = _directory(home, kind, name, version)
    _replace(directory / f"pulumi-{kind}-{name}", script)


def has_stand_in(home: Path, kind: str, name: str, version: str) -> bool:
    """Whether a stand-in is installed: the state of this home was then written with it."""
    program = home / "plugins" / f"{kind}-{name}-v{version}" / f"pulumi-{kind}-{name}"
    return program.is_file() and not program.is_symlink()


def install_official(home: Path, kind: str, name: str, version: str, source: Path) -> None:
    """Make an installed official plugin known to this home, by links to its files."""
    directory = _directory(home, kind, name, version)
    for path in source.iterdir():
        link = directory / path.name
        link.unlink(missing_ok=True)
        link.symlink_to(path)


def _directory(home: Path, kind: str, name: str, version: str) -> Path:
    directory = home / "plugins" / f"{kind}-{name}-v{version}"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _replace(path: Path, text: str) -> None:
    """Write an executable in one step: a run that goes on meanwhile sees the old or the new."""
    path_new = path.with_name(path.name + ".new")
    path_new.write_text(text)
    path_new.chmod(0o755)
    path_new.replace(path)
