"""The node program as files of user data.

Plain modules, not an archive: they share the document's compression, where an archive of
compressed modules would be base64 of what compresses no further, and they can be read on the node.
"""

from functools import cache
from pathlib import Path

from components.userdata.cloud_config import File
from components.userdata.paths import LIBRARY
from components.userdata.strip import strip

PROGRAM = f"{LIBRARY}/node"
SOURCE = Path(__file__).parents[2] / "node"


@cache
def program() -> tuple[File, ...]:
    """The modules of `node/`, stripped of comments and docstrings: a third of their size."""
    return tuple(
        File(f"{PROGRAM}/{path.name}", strip(path.read_text("utf-8")))
        for path in sorted(SOURCE.glob("*.py"))
    )
