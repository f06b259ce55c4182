#!/usr/bin/python3 -I
"""Installs the node agent that node.json names, from the cluster's bucket.

Nothing is asked of AWS when that version is installed: a reboot works without it. The agent is in
place as a whole or not at all, whenever the power fails.
"""

import fcntl
import hashlib
import io
import json
import os
import re
import shutil
import sys
import zipfile
import zlib
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

NODE_JSON = "/etc/ha-kubernetes/node.json"
LIBRARY = "/usr/local/lib/ha-kubernetes"

MODULE = re.compile(r"node/(\w+/)*\w+\.py", re.ASCII)


class FetchError(Exception):
    """What is wrong and what to do, in one sentence."""


def at(path: str) -> Path:
    """A path of the node; under HA_NODE_ROOT where that is set."""
    return Path(os.environ.get("HA_NODE_ROOT", "") + path)


def main() -> int:
    """Install it; one line says what was done, or what is wrong."""
    # Users of daemons run the agent too, whatever the mask of who runs this.
    os.umask(0o022)
    try:
        region, agent = read_settings()
        print(f"node-agent: {install(region, agent)}")
    except (FetchError, OSError) as error:
        print(f"node-agent: {error}".replace("\n", " "), file=sys.stderr)
        return 1
    return 0


def read_settings() -> tuple[str, dict[str, str]]:
    """The region, and the bucket, key and SHA-256 of the agent; FetchError without them."""
    try:
        document: Any = json.loads(at(NODE_JSON).read_text())
        agent = {name: str(document["agent"][name]) for name in ("bucket", "key", "sha256")}
        return str(document["region"]), agent
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FetchError(
            f"{at(NODE_JSON)} is missing or damaged ({error!r}); replace this node"
        ) from error


def install(region: str, agent: dict[str, str]) -> str:
    """Bring the agent into place, unless it is there; what was done.

    FetchError as `download` and `unpack`, and for another SHA-256.
    """
    sha256, library = agent["sha256"], at(LIBRARY)
    # A link to the version in use, so that one rename changes all modules together.
    link, version = library / "node", Path("agents", sha256, "node")
    if installed(link, version):
        return f"{sha256} was in place"
    url = f"s3://{agent['bucket']}/{agent['key']}"
    archive = download(region, agent, url)
    if (found := hashlib.sha256(archive).hexdigest()) != sha256:
        raise FetchError(
            f"{url} has the SHA-256 {found}, not {sha256}: it is damaged or was overwritten; "
            "delete it and run pulumi up --refresh, which stores it again"
        )
    (library / "agents").mkdir(parents=True, exist_ok=True)
    with (library / "agents/lock").open("w") as lock:
        # A person may run what systemd is running: the second waits for the first.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (library / version).exists():
            unpack(archive, url, library / "agents" / sha256)
        sync(library / "agents")
        new = library / ".node.new"
        new.unlink(missing_ok=True)
        new.symlink_to(version)
        new.replace(link)
        sync(library)
    return f"installed {sha256}"


def installed(link: Path, version: Path) -> bool:
    """Whether the agent in use is that version; what is linked is complete."""
    return link.is_symlink() and link.readlink() == version


def download(region: str, agent: dict[str, str], url: str) -> bytes:
    """The object; FetchError when it is not to be had."""
    config = Config(
        connect_timeout=2,
        read_timeout=10,
        retries={"mode": "standard", "total_max_attempts": 3},
        # A gateway endpoint is a route to the region's own addresses only.
        s3={"us_east_1_regional_endpoint": "regional"},
    )
    try:
        client = boto3.client("s3", region_name=region, config=config)
        answer = client.get_object(Bucket=agent["bucket"], Key=agent["key"])
        return bytes(answer["Body"].read())
    except (BotoCoreError, ClientError) as error:
        raise FetchError(
            f"cannot download {url}: {error}; it is tried again, and if the object is gone "
            "pulumi up --refresh stores it again"
        ) from error


def unpack(archive: bytes, url: str, directory: Path) -> None:
    """Unpack into a directory that has its name only when all of it is on the disk.

    FetchError for what is no archive of the agent.
    """
    new = directory.with_name(f".{directory.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            names = opened.namelist()
            # The checksum says that this is what user data names, not that it is harmless.
            for name in names:
                if not MODULE.fullmatch(name):
                    raise FetchError(
                        f"{url} holds {name!r}, which is no module of the node agent: "
                        "run pulumi up from a clean checkout"
                    )
            for name in names:
                write(new / name, opened.read(name))
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise FetchError(
            f"{url} is no archive of the node agent ({error}): run pulumi up from a clean checkout"
        ) from error
    for parent, _, _ in os.walk(new):
        sync(Path(parent))
    new.rename(directory)


def write(path: Path, content: bytes) -> None:
    """A file, on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def sync(directory: Path) -> None:
    """The names in a directory, on the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
