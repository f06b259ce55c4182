"""A request to AWS as it came over HTTP, and what service and operation it is for. Pure."""

import gzip
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
_S3_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:[.-][a-z0-9-]+)?\.amazonaws\.com")


@dataclass(frozen=True)
class Call:
    """One request; header names in lower case."""

    method: str
    host: str
    path: str
    """As sent: not decoded."""
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def access_key(self) -> str:
        """Whose signature it carries; empty when it carries none."""
        match = _CREDENTIAL.search(self.headers.get("authorization", ""))
        return match[1] if match else ""

    @property
    def token(self) -> str:
        """The session token that came with the keys."""
        return self.headers.get("x-amz-security-token", "")

    @property
    def service(self) -> str:
        """The service that it was signed for; empty when it was not signed."""
        match = _CREDENTIAL.search(self.headers.get("authorization", ""))
        return match[3] if match else ""

    @property
    def arguments(self) -> Mapping[str, str]:
        """Parameters of the query string, empty ones included."""
        return {k: v[0] for k, v in parse_qs(self.query, keep_blank_values=True).items()}

    def content(self) -> bytes:
        """The body, decompressed."""
        if self.headers.get("content-encoding") == "gzip":
            return gzip.decompress(self.body)
        return self.body

    def document(self) -> Mapping[str, Any]:
        """The body as JSON; ValueError when it is none."""
        return dict(json.loads(self.content() or b"{}"))

    def form(self) -> Mapping[str, str]:
        """The body as a form."""
        return {k: v[0] for k, v in parse_qs(self.content().decode()).items()}

    @property
    def operation(self) -> str:
        """The operation's name; empty for S3, whose operations are methods and paths."""
        target = self.headers.get("x-amz-target", "")
        if target:
            return target.rpartition(".")[2]
        if "/operation/" in self.path:
            return self.path.rpartition("/")[2]
        if self.service == "s3":
            return ""
        return self.form().get("Action", "")

    def object(self) -> tuple[str, str]:
        """Bucket and key of an S3 request; empty strings where there is none."""
        path = unquote(self.path).removeprefix("/")
        match = _S3_HOST.fullmatch(self.host.partition(":")[0])
        if match and match["bucket"]:
            return match["bucket"], path
        bucket, _, key = path.partition("/")
        return bucket, key
