"""The node program as files of user data.

Plain modules, not an archive: they share the document's compression, where an archive of
compressed modules would be base64 of what compresses no further, and they can be read on the node.
"""

from functools import cache
from pathlib import Path
from typing import Literal

from components.userdata.cloud_config import File
from components.userdata.paths import LIBRARY
from components.userdata.strip import strip

Tier = Literal["etcd", "api"]

PROGRAM = f"{LIBRARY}/node"
SOURCE = Path(__file__).parents[2] / "node"


@cache
def program(tier: Tier) -> tuple[File, ...]:
    """The modules that both tiers run, and those of one: `node/*.py` and `node/<tier>/*.py`.

    Comments and docstrings stay behind; they are a third of the compressed size.
    """
    modules = sorted((*SOURCE.glob("*.py"), *SOURCE.joinpath(tier).glob("*.py")))
    return tuple(
        File(f"{PROGRAM}/{path.relative_to(SOURCE)}", strip(path.read_text("utf-8")))
        for path in modules
    )
