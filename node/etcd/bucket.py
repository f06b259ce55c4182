"""The bucket of snapshots: `snapshots/<node>/<UTC time>-<revision>.db`.

S3 checks the SHA-256 of every part that it is sent, and keeps it. It encrypts with the bucket's KMS
key by itself.
"""

import base64
import hashlib
import re
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

from node import aws
from node.aws import answering
from node.errors import AwsError, NodeError
from node.settings import EtcdSettings, Settings

PREFIX = "snapshots/"
PART = 64 << 20
"""Bytes of a part; the checksum of an object depends on it."""

_NAME = re.compile(r"snapshots/[^/]+/(\d{8}T\d{6}Z)-(\d+)\.db")


class Bucket:
    """The snapshots of one cluster; everything it does raises AwsError when AWS does not."""

    def __init__(self, settings: Settings, mine: EtcdSettings) -> None:
        self.name = mine.snapshot_bucket
        config = Config(
            connect_timeout=2,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": aws.ATTEMPTS},
        )
        # Few streams at a time: etcd's own traffic comes first.
        self._transfer = TransferConfig(
            multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=2
        )
        with answering():
            self._s3: Any = boto3.client("s3", region_name=settings.region, config=config)

    def upload(self, path: Path, key: str) -> None:
        """Store a file, and ask S3 what it has. NodeError when that is not this file."""
        with answering():
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
        try:
            with answering():
                size: int = self._s3.head_object(Bucket=self.name, Key=key)["ContentLength"]
        except AwsError as error:
            refused = error.__cause__
            if isinstance(refused, ClientError) and (
                refused.response["Error"]["Code"] in {"403", "404"}
            ):
                raise NodeError(
                    f"there is no {key} in {self.name}: choose one of "
                    f"`aws s3 ls --recursive s3://{self.name}/{PREFIX}`"
                ) from error
            raise
        return size

    def download(self, key: str, path: Path) -> None:
        """Fetch a snapshot; whether it is whole is for the file to say."""
        with answering():
            self._s3.download_file(self.name, key, str(path), Config=self._transfer)

    def newest(self) -> tuple[str, float] | None:
        """Key and age in seconds of the newest snapshot of any member; None without one.

        Newest by the time in its name, so that a copy of an old one does not count as new; its age
        is between S3's own clock and S3's own clock.
        """
        found: list[tuple[tuple[str, int], str, float]] = []
        with answering():
            pages = self._s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.name, Prefix=PREFIX
            )
            for page in pages:
                now = parsedate_to_datetime(page["ResponseMetadata"]["HTTPHeaders"]["date"])
                for item in page.get("Contents", ()):
                    if match := _NAME.fullmatch(item["Key"]):
                        age = (now - item["LastModified"]).total_seconds()
                        found.append(((match[1], int(match[2])), item["Key"], max(0.0, age)))
        return max(found)[1:] if found else None


def checksum(path: Path) -> str:
    """The SHA-256 as S3 states it: of the file, or of its parts' digests when it has parts."""
    digests = []
    with path.open("rb") as file:
        while part := file.read(PART):
            digests.append(hashlib.sha256(part).digest())
    if path.stat().st_size < PART:
        return base64.b64encode(b"".join(digests)).decode()
    return base64.b64encode(hashlib.sha256(b"".join(digests)).digest()).decode()
