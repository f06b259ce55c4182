"""Lines of the stack's configuration file that come and go with the lab: its encryption salt, and
the checksums of its builds and the digests of its images.

A lab's passphrase is random and goes with the lab. A salt that stays behind would make the next
`up` fail with "incorrect passphrase", and would show up as a change of a committed file.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from config.container_images import ImageName
from config.versions import ArtifactName
from lab.atomic_file import write_atomically

_SALT = re.compile(r"^encryptionsalt:.*\n?", re.MULTILINE)

_CHECKSUMS_KEY = "ha-kubernetes:artifacts"
_CHECKSUMS = re.compile(rf"^  {_CHECKSUMS_KEY}:.*\n(?:    .*\n?)*", re.MULTILINE)
_CONFIG = re.compile(r"^config:[^\n]*\n", re.MULTILINE)


def encryption_salt(file: Path) -> str | None:
    """The line that Pulumi writes to go with the passphrase, if there is one."""
    try:
        found = _SALT.search(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found and found.group().strip()


def remove_encryption_salt(file: Path) -> bool:
    """Take the salt out, and the file too if that was all; whether there was one."""
    return _remove(file, _SALT)


def remove_stale_salt(file: Path, remembered: Path) -> bool:
    """Take out a salt that is not the one this lab remembers; whether there was one."""
    known = remembered.read_text(encoding="utf-8") if remembered.exists() else None
    return encryption_salt(file) != known and remove_encryption_salt(file)


def remember_salt(file: Path, remembered: Path) -> None:
    """Note the salt that goes with this lab's passphrase."""
    salt = encryption_salt(file)
    if salt:
        write_atomically(remembered, salt)


def put_checksums(
    file: Path,
    sums: Mapping[ArtifactName, str],
    images: Mapping[ImageName, str] = MappingProxyType({}),
) -> None:
    """Have the stack expect these SHA-256 sums, by artifact, and these images, by name: the lab's
    builds are not upstream's bytes. A mirror that the stack names would not have them, so it
    goes."""
    text = file.read_text(encoding="utf-8")
    note = "# of the lab's own builds; `make down` takes it out"
    block = f"  {_CHECKSUMS_KEY}: {note}\n" + _section("sha256", sums)
    if images:
        block += _section("images", images)
    rest = _CHECKSUMS.sub("", text)
    wanted = _CONFIG.sub(lambda match: match.group() + block, rest, count=1)
    if wanted != text:
        _write(file, wanted)


def _section(key: str, values: Mapping[Any, str]) -> str:
    lines = "".join(f"      {name}: {value}\n" for name, value in sorted(values.items()))
    return f"    {key}:\n{lines}"


def remove_checksums(file: Path) -> bool:
    """Take the checksums out; whether they were there."""
    return _remove(file, _CHECKSUMS)


def _remove(file: Path, lines: re.Pattern[str]) -> bool:
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    rest = lines.sub("", text)
    if rest == text:
        return False
    if rest.strip():
        _write(file, rest)
    else:
        file.unlink()
    return True


def _write(file: Path, text: str) -> None:
    write_atomically(file, text, file.stat().st_mode & 0o777)
