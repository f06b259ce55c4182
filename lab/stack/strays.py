"""Processes of an update that outlived it."""

from pathlib import Path

from lab.processes import marked

MARK = "HA_LAB_UPDATE"
"""In the environment of an update and so of every host that it starts, its value the state
directory.

Not in .lab/env: a person's shell must not be taken for a stray.
"""


def stop(state: Path) -> bool:
    """End them all; whether there was one."""
    strays = marked(MARK, str(state))
    for stray in strays:
        stray.stop(patience=5)
    return bool(strays)
