"""Archive of the node agent, known by its checksum.

It lies in the cluster's bucket, and user data names it: with its documentation the agent is larger
than EC2 lets user data be.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from components.naming import AGENT_PREFIX
from node.contract import LIBRARY

AGENT = f"{LIBRARY}/node"
SOURCE = Path(__file__).parents[2] / "node"

_EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The first moment that ZIP knows."""
_REGULAR_FILE = 0o100644


@dataclass(frozen=True)
class AgentArchive:
    """A version of the node agent."""

    content: bytes
    """ZIP of `node/`."""

    @cached_property
    def sha256(self) -> str:
        """Its checksum, which is its identity, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def key(self) -> str:
        """Where it lies in the cluster's bucket: another version never takes its place."""
        return f"{AGENT_PREFIX}{self.sha256}.zip"


@cache
def agent_archive() -> AgentArchive:
    """The agent of this checkout: every module below `node/`, as it is written."""
    # As text, so that line ends of another operating system do not make another version.
    return AgentArchive(
        zip_archive(
            {
                f"node/{path.relative_to(SOURCE).as_posix()}": path.read_text("utf-8")
                for path in SOURCE.rglob("*.py")
            }
        )
    )


def zip_archive(modules: Mapping[str, str]) -> bytes:
    """A ZIP of texts by path: equal texts are equal bytes, wherever and whenever it is made.

    Stored, because compressed bytes depend on the build of zlib, and other bytes replace nodes.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for path, text in sorted(modules.items()):
            entry = zipfile.ZipInfo(path, _EARLIEST)
            entry.create_system = 3  # Unix; otherwise the operating system that this runs on
            entry.external_attr = _REGULAR_FILE << 16
            file.writestr(entry, text.encode())
    return buffer.getvalue()
