"""Certificates and keys of this node: the complete old set or the complete new one.

Two questions, asked apart. Can daemons start with a set (`problems`)? That is all that is asked of
the one on disk: a machine that boots with expired certificates still has a cluster to come back to
and a person to reissue them. May a set take its place? Only one that others would accept now: of
the CA alongside it, already valid and not expired by this machine's clock. A clock that is wrong so
keeps what is there, and never replaces it.
"""

import shutil
import ssl
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from pathlib import Path

from node import files, openssl
from node.errors import NodeError
from node.settings import OWNER, Settings


def problems(settings: Settings, directory: Path) -> list[str]:
    """What keeps daemons from starting with the files in a directory; empty when nothing does."""
    names = settings.files
    missing = [f"{name} is missing" for name in names if not files.read(directory / name)]
    return missing or [
        f"{name} is damaged or not of its key"
        for name in names
        if name.endswith(".crt") and not _loads(directory / name)
    ]


def replace(settings: Settings, wanted: Mapping[str, str]) -> list[str]:
    """Put a set in place, names of changed files; NodeError when it must not be, OSError when it
    cannot be: as a whole."""
    finish(settings)
    staging, owner = settings.pki / ".staging", OWNER[settings.tier]
    shutil.rmtree(staging, ignore_errors=True)
    changed = [
        name for name in settings.files if files.read(settings.pki / name) != wanted.get(name)
    ]
    try:
        for name in settings.files:
            mode = 0o644 if name.endswith((".crt", ".pub")) else 0o600
            files.write(staging / name, wanted.get(name, ""), mode, owner)
        if refused := _refusal(settings, staging, changed):
            raise NodeError(f"{settings.parameters['files']}: {refused}")
    except (NodeError, OSError):
        shutil.rmtree(staging, ignore_errors=True)
        raise
    for name in settings.files:
        if name not in changed:
            (staging / name).unlink()
    files.sync(staging)
    staging.rename(_ready(settings))
    finish(settings)
    return changed


def _refusal(settings: Settings, directory: Path, changed: Collection[str]) -> str:
    """Why the set in a directory must not be installed, and what to do; empty when it may.

    What is the same on disk is not judged again: it could not be made better by keeping it.
    """
    if wrong := problems(settings, directory) or _foreign(settings, directory, changed):
        return f"{', '.join(wrong)}: run pulumi up"
    spans = {
        name: openssl.validity((directory / name).read_text())
        for name in changed
        if name.endswith(".crt")
    }
    return _untimely(spans, datetime.now(UTC))


def _untimely(spans: Mapping[str, tuple[datetime, datetime]], now: datetime) -> str:
    """Why certificates, by name with start and end, are not valid now; empty when they are."""
    if not spans:
        return ""
    first, last = min(spans, key=lambda name: spans[name][1]), max(spans, key=spans.__getitem__)
    end, start = spans[first][1], spans[last][0]
    if end <= now:
        return (
            f"{first} expired at {end:%Y-%m-%d %H:%M:%S} UTC, and it is {now:%Y-%m-%d %H:%M:%S} "
            "here: mend the clock, or reissue as docs/runbooks/reissue-certificates.md says"
        )
    if start > now:
        return (
            f"{last} is valid from {start:%Y-%m-%d %H:%M:%S} UTC on, and it is "
            f"{now:%Y-%m-%d %H:%M:%S} here: it is tried again until then"
        )
    return ""


def _foreign(settings: Settings, directory: Path, changed: Collection[str]) -> list[str]:
    """What does not belong to what lies alongside it."""
    foreign = [
        f"{leaf}.crt is not signed by {ca}"
        for leaf, ca in settings.ca_of.items()
        if {f"{leaf}.crt", ca}.intersection(changed)
        and not openssl.signed(directory / f"{leaf}.crt", directory / ca)
    ]
    if {"sa.key", "sa.pub"}.intersection(changed):
        public = openssl.public_key(directory / "sa.key")
        if public.strip() != (directory / "sa.pub").read_text().strip():
            foreign.append("sa.pub is not of sa.key")
    return foreign


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
