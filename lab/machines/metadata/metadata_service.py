"""The instance metadata service (IMDSv2): its tokens, and its answer to a request."""

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lab.machines.account import Instance
from lab.machines.metadata.tree import RoleKeys, identity_document, lookup, metadata

TOKEN = "x-aws-ec2-metadata-token"  # noqa: S105 - the name of a header
LIFETIME = f"{TOKEN}-ttl-seconds"

MAX_SECONDS = 21_600
"""Six hours (EC2 user guide, "Use IMDSv2")."""

_VERSION = re.compile(r"latest|\d{4}-\d{2}-\d{2}|1\.0")
_CLOUD_INIT = "Cloud-Init/"


class Tokens:
    """Session tokens of IMDSv2: each belongs to one instance and lives as long as was asked."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._valid: dict[str, tuple[str, float]] = {}

    def issue(self, instance: str, seconds: int) -> str:
        """A new token. Raises ValueError for a lifetime that AWS refuses."""
        if not 1 <= seconds <= MAX_SECONDS:
            raise ValueError(f"a token lives 1 to {MAX_SECONDS} seconds, not {seconds}")
        now = self._clock()
        self._valid = {token: v for token, v in self._valid.items() if v[1] > now}
        token = secrets.token_urlsafe(42)
        self._valid[token] = (instance, now + seconds)
        return token

    def valid(self, instance: str, token: str) -> bool:
        """Whether an instance may use a token now."""
        owner, expires = self._valid.get(token, ("", 0.0))
        return owner == instance and expires > self._clock()


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    hop_limit: int | None = None
    """Of the packets that carry it; None is the system's own."""


@dataclass(frozen=True)
class Service:
    """The metadata service of one region."""

    region: str
    account: str
    tokens: Tokens
    user_data: Callable[[str], bytes]
    """By instance id."""
    keys: Callable[[Instance], RoleKeys | None]

    def answer(
        self, instance: Instance | None, method: str, path: str, headers: Mapping[str, str]
    ) -> Answer:
        """The answer to one request; header names in lower case."""
        if instance is None:
            return Answer(404)
        if not instance.metadata:
            return Answer(403)
        parts = [part for part in path.partition("?")[0].split("/") if part]
        if parts == ["latest", "api", "token"]:
            return self._token(instance, method, headers)
        if method not in {"GET", "HEAD"}:
            return Answer(405)
        if not self._may_read(instance, headers):
            return Answer(401)
        text = self._read(instance, parts)
        return Answer(404) if text is None else Answer(200, text)

    def _token(self, instance: Instance, method: str, headers: Mapping[str, str]) -> Answer:
        if method != "PUT":
            return Answer(405)
        # Whoever stands behind a proxy must not get one (EC2 user guide, "Use IMDSv2").
        if "x-forwarded-for" in headers:
            return Answer(403)
        try:
            token = self.tokens.issue(instance.id, int(headers.get(LIFETIME, "")))
        except ValueError:
            return Answer(400)
        return Answer(200, token.encode(), {LIFETIME: headers[LIFETIME]}, instance.hop_limit)

    def _may_read(self, instance: Instance, headers: Mapping[str, str]) -> bool:
        token = headers.get(TOKEN)
        if token is not None:
            return self.tokens.valid(instance.id, token)
        # In a container cloud-init cannot see that it is on EC2, and asks for no token then.
        cloud_init = headers.get("user-agent", "").startswith(_CLOUD_INIT)
        return cloud_init or not instance.tokens_required

    def _read(self, instance: Instance, parts: list[str]) -> bytes | None:
        if not parts:
            return b"latest"
        version, *rest = parts
        if not _VERSION.fullmatch(version):
            return None
        if rest == ["user-data"]:
            return self.user_data(instance.id) or None
        tree = {
            "meta-data": metadata(instance, self.region, self.keys(instance)),
            "dynamic": {
                "instance-identity": {
                    "document": identity_document(instance, self.region, self.account)
                }
            },
        }
        text = lookup(tree, rest)
        if text is None:
            return None
        if not rest and self.user_data(instance.id):
            text += "\nuser-data"
        return text.encode()
