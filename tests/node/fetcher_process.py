"""The fetcher of the node agent as a process, and what it is told to fetch."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

FETCHER = Path(__file__).parents[2] / "components/userdata/files/fetch_agent.py"


def identity(bucket: str, archive: bytes) -> dict[str, str]:
    """The entry `agent` of node.json."""
    sha256 = hashlib.sha256(archive).hexdigest()
    return {"bucket": bucket, "key": f"agent/{sha256}.zip", "sha256": sha256}


def fetch(umask: int = 0o022) -> subprocess.CompletedProcess[str]:
    """Run it as its unit does."""
    return subprocess.run(
        [sys.executable, "-I", FETCHER],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=os.environ,
        umask=umask,
    )
