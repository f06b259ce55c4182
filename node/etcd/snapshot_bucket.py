"""Bucket of snapshots: `snapshots/<member>/<UTC time>-<revision>.db`.

S3 checks the SHA-256 of every part that it is sent, and keeps it. It encrypts with the bucket's KMS
key by itself.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from node import aws
from node.aws import translating_aws_errors
from node.contract import SNAPSHOT_PREFIX
from node.errors import NodeError
from node.settings import EtcdSettings, Settings

BUMP = 1_000_000_000
"""Revisions between a cluster and the one that a restore founds in its place.

A restored cluster skips so many, past every revision that its predecessors are known to have had,
and marks them as compacted. Clients hold revisions that the snapshot has not seen. Were they given
to other writes, a watch would go on from one and silently miss changes; so it is told to list
again. The number is that of etcd's recovery guide: it is enough for so many writes since the newest
snapshot.
"""
PART = 64 << 20
"""Bytes of a part; the checksum of an object depends on it."""

# At most 18 digits: a revision is an int64, and one that is restored from is raised.
_NAME = re.compile(rf"{SNAPSHOT_PREFIX}etcd-\d+/(\d{{8}}T\d{{6}}Z)-(\d{{1,18}})\.db")


@dataclass(frozen=True, order=True)
class Snapshot:
    """A snapshot by its name. The newest is the one of the greatest revision.

    Not the one of the latest time: names are given by the clocks of different members. Revisions
    only grow within a cluster. They grow over restores as well, because each order to restore lifts
    the new cluster above every revision in the bucket (BUMP, restore_request.py). Otherwise, once
    an older snapshot was restored, those of the abandoned cluster would stay the newest.

    A copy keeps its revision, whenever and under whichever member's name it is made. What is named
    otherwise, a snapshot of another cluster for example, is never the newest and never deleted.
    """

    revision: int
    time: str
    """As in the name: 20261124T121500Z."""
    key: str
    age: float
    """Seconds, between S3's own clock and S3's own clock."""


class Bucket:
    """The snapshots of one cluster; everything it does raises AwsError when AWS does not."""

    def __init__(self, settings: Settings, etcd: EtcdSettings) -> None:
        self.name = etcd.snapshot_bucket
        config = Config(
            # Also of each piece that is sent (urllib3): a slow network may stall for seconds.
            connect_timeout=10,
            # S3 puts the parts of a large object together before it answers.
            read_timeout=120,
            retries={"mode": "standard", "total_max_attempts": aws.ATTEMPTS},
        )
        # Few streams at a time: etcd's own traffic comes first.
        self._transfer = TransferConfig(
            multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2
        )
        with translating_aws_errors():
            self._s3: Any = boto3.client("s3", region_name=settings.region, config=config)

    def upload(self, path: Path, key: str) -> None:
        """Store a file, and ask S3 what it has. NodeError when that is not this file."""
        with translating_aws_errors():
            self._s3.upload_file(
                str(path),
                self.name,
                key,
                ExtraArgs={"ChecksumAlgorithm": "SHA256"},
                Config=self._transfer,
            )
            stored = self._s3.head_object(Bucket=self.name, Key=key, ChecksumMode="ENABLED")
        # S3 adds the number of parts to a checksum of checksums: "...=-2".
        found = stored["ContentLength"], stored.get("ChecksumSHA256", "").partition("-")[0]
        if found != (path.stat().st_size, checksum(path)):
            raise NodeError(
                f"S3 holds something else than was sent as {key} (size and checksum {found}): "
                "it does not count as a snapshot; see who else writes to this bucket"
            )

    def size(self, key: str) -> int:
        """Bytes of a snapshot. NodeError when there is none of that key.

        Without the right to list everything, S3 answers 403 for what is not there.
        """
        with translating_aws_errors():
            try:
                size: int = self._s3.head_object(Bucket=self.name, Key=key)["ContentLength"]
            except ClientError as error:
                if error.response["Error"]["Code"] in {"403", "404"}:
                    raise NodeError(
                        f"there is no {key} in {self.name}: choose one of "
                        f"`aws s3 ls --recursive s3://{self.name}/{SNAPSHOT_PREFIX}`"
                    ) from error
                raise
        return size

    def download(self, key: str, path: Path) -> None:
        """Fetch a snapshot; whether it is whole is for the file to say."""
        with translating_aws_errors():
            self._s3.download_file(self.name, key, str(path), Config=self._transfer)

    def snapshots(self) -> list[Snapshot]:
        """The snapshots of all members."""
        found = []
        with translating_aws_errors():
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=SNAPSHOT_PREFIX
            )
            for page in pages:
                now = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
                for item in page.get("Contents", ()):
                    if match := _NAME.fullmatch(item["Key"]):
                        age = max(0.0, (now - item["LastModified"]).total_seconds())
                        found.append(Snapshot(int(match[2]), match[1], item["Key"], age))
        return found

    def newest(self) -> Snapshot | None:
        """The newest snapshot of any member; None without one."""
        return max(self.snapshots(), default=None)

    def remove(self, keys: Sequence[str]) -> None:
        """Delete snapshots. The bucket is versioned: until its lifecycle rule has run, each can be
        brought back, and not even a node's role can prevent that."""
        for key in keys:
            with translating_aws_errors():
                self._s3.delete_object(Bucket=self.name, Key=key)


def checksum(path: Path) -> str:
    """The SHA-256 as S3 states it: of the file, or of its parts' digests when it has parts."""
    digests = []
    with path.open("rb") as file:
        while part := file.read(PART):
            digests.append(hashlib.sha256(part).digest())
    if path.stat().st_size < PART:
        return base64.b64encode(b"".join(digests)).decode()
    return base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
