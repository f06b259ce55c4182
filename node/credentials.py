"""The certificates and keys of this node: the complete old set or the complete new one."""

import shutil
import ssl
from collections.abc import Mapping
from pathlib import Path

from node import files
from node.errors import NodeError
from node.settings import FILES, OWNER, Settings


def problems(settings: Settings, directory: Path) -> list[str]:
    """What keeps the files in a directory from being a usable set; empty when they are one."""
    names = FILES[settings.tier]
    missing = [f"{name} is missing" for name in names if not files.read(directory / name)]
    return missing or [
        f"{name} is damaged or not of its key"
        for name in names
        if name.endswith(".crt") and not _loads(directory / name)
    ]


def replace(settings: Settings, wanted: Mapping[str, str]) -> list[str]:
    """Put a set in place, names of changed files; NodeError when it is not usable as a whole."""
    finish(settings)
    staging, owner = settings.pki / ".staging", OWNER[settings.tier]
    shutil.rmtree(staging, ignore_errors=True)
    for name in FILES[settings.tier]:
        mode = 0o644 if name.endswith((".crt", ".pub")) else 0o600
        files.write(staging / name, wanted.get(name, ""), mode, owner)
    if wrong := problems(settings, staging):
        shutil.rmtree(staging)
        raise NodeError(f"{settings.parameters['files']}: {', '.join(wrong)}: run pulumi up")
    changed = []
    for name in FILES[settings.tier]:
        if files.read(settings.pki / name) == wanted[name]:
            (staging / name).unlink()
        else:
            changed.append(name)
    files.sync(staging)
    staging.rename(_ready(settings))
    finish(settings)
    return changed


def finish(settings: Settings) -> None:
    """Complete an interrupted replacement: from the moment it is ready, only forward."""
    ready = _ready(settings)
    if ready.exists():
        for file in ready.iterdir():
            file.replace(settings.pki / file.name)
        files.sync(settings.pki)
        ready.rmdir()


def _ready(settings: Settings) -> Path:
    return settings.pki / ".ready"


def _loads(certificate: Path) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    key = certificate.with_suffix(".key")
    try:
        if key.exists():
            # A password, lest OpenSSL ask the terminal for one.
            context.load_cert_chain(certificate, key, password="")
        else:
            context.load_verify_locations(certificate)
    except (ssl.SSLError, ValueError):
        return False
    return True
