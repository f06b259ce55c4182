"""The checksums of the lab's own builds in the stack's file, since they are not upstream's bytes.

They come and go with the lab, as its salt does (`lab.stack.salt`).
"""

import re
from collections.abc import Mapping
from pathlib import Path

from config.versions import ArtifactName
from lab.files import write_atomically

KEY = "ha-kubernetes:artifacts"
_BLOCK = re.compile(rf"^  {KEY}:.*\n(?:    .*\n?)*", re.MULTILINE)
_CONFIG = re.compile(r"^config:[^\n]*\n", re.MULTILINE)


def put(stack_file: Path, sums: Mapping[ArtifactName, str]) -> None:
    """Have the stack expect these SHA-256 sums, by artifact; a mirror of its own would not be the
    lab's."""
    text = stack_file.read_text(encoding="utf-8")
    lines = "".join(f"      {name}: {value}\n" for name, value in sorted(sums.items()))
    block = f"  {KEY}: # of the lab's own builds; `make down` takes it out\n    sha256:\n{lines}"
    rest = _BLOCK.sub("", text)
    wanted = _CONFIG.sub(lambda match: match.group() + block, rest, count=1)
    if wanted != text:
        write_atomically(stack_file, wanted, stack_file.stat().st_mode & 0o777)


def remove(stack_file: Path) -> bool:
    """Take them out; whether they were there."""
    if not stack_file.exists():
        return False
    text = stack_file.read_text(encoding="utf-8")
    rest = _BLOCK.sub("", text)
    if rest == text:
        return False
    write_atomically(stack_file, rest, stack_file.stat().st_mode & 0o777)
    return True
