"""The line that Pulumi writes into a stack's file to go with the passphrase.

A lab's passphrase is random and goes with the lab. A salt that stays behind would make the next
`up` fail with "incorrect passphrase", and would show up as a change of a committed file.
"""

import re
from pathlib import Path

from lab.files import write_atomically

LINE = re.compile(r"^encryptionsalt:.*\n?", re.MULTILINE)


def read(stack_file: Path) -> str | None:
    """The salt's line, if there is one."""
    try:
        found = LINE.search(stack_file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return found and found.group().strip()


def remove(stack_file: Path) -> bool:
    """Take the line out, and the file too if that was all; whether there was one."""
    if read(stack_file) is None:
        return False
    text = stack_file.read_text(encoding="utf-8")
    rest = LINE.sub("", text)
    if rest.strip():
        write_atomically(stack_file, rest, stack_file.stat().st_mode & 0o777)
    else:
        stack_file.unlink()
    return True


def remove_stale(stack_file: Path, remembered: Path) -> bool:
    """Take out a salt that is not the one this lab remembers; whether there was one."""
    salt = read(stack_file)
    known = remembered.read_text(encoding="utf-8") if remembered.exists() else None
    return salt != known and remove(stack_file)


def remember(stack_file: Path, remembered: Path) -> None:
    """Note the salt that goes with this lab's passphrase."""
    salt = read(stack_file)
    if salt:
        write_atomically(remembered, salt)
