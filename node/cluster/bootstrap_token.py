"""The token that a new worker asks for its first certificate with. Pure but for `secrets`.

It is a bootstrap token of Kubernetes: a Secret in kube-system that authenticates whoever holds it
as a member of one group, which may ask for a certificate and nothing else. The controller-manager's
tokencleaner deletes it when its time is over. Workers find it in Parameter Store.
"""

import base64
import binascii
import json
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from node.cluster.labels import LABELS
from node.contract import BOOTSTRAP_GROUP

LIFE = timedelta(hours=2)
RENEWED = timedelta(hours=1)
"""Before its end: a worker that has just read one has as long to join with it."""

SECRETS = "/api/v1/namespaces/kube-system/secrets"
TYPE = "bootstrap.kubernetes.io/token"

_ALPHABET = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class JoinToken:
    """A bootstrap token; its text is never shown."""

    id: str
    secret: str
    expires: datetime

    def __repr__(self) -> str:
        """Without the secret, which no traceback or log may hold."""
        return f"JoinToken({self.id!r}, expires={self.expires:%Y-%m-%dT%H:%M:%SZ})"

    @property
    def document(self) -> dict[str, str]:
        """What workers read."""
        return {"token": f"{self.id}.{self.secret}", "expires": _time(self.expires)}

    @property
    def manifest(self) -> dict[str, Any]:
        """The Secret."""
        values = {
            "token-id": self.id,
            "token-secret": self.secret,
            "expiration": _time(self.expires),
            "usage-bootstrap-authentication": "true",
            "auth-extra-groups": BOOTSTRAP_GROUP,
            "description": "Workers of ha-kubernetes join with it.",
        }
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": TYPE,
            "metadata": {
                "name": f"bootstrap-token-{self.id}",
                "namespace": "kube-system",
                "labels": dict(LABELS),
            },
            "data": {key: base64.b64encode(text.encode()).decode() for key, text in values.items()},
        }


def new(now: datetime) -> JoinToken:
    """A token that nobody can guess: 16 characters of 36 are 82 bits."""
    return JoinToken(_random(6), _random(16), (now + LIFE).replace(microsecond=0))


def newest(secrets_found: Iterable[Mapping[str, Any]]) -> JoinToken | None:
    """Of the token Secrets of this program, that which lives longest; None without any.

    One that a person changed so that it is no token any more does not count.
    """
    tokens = [token for secret in secrets_found if (token := _read(secret))]
    return max(tokens, key=lambda token: token.expires, default=None)


def due(token: JoinToken | None, now: datetime) -> bool:
    """Whether it is time for a new one."""
    return token is None or token.expires - now <= RENEWED


def same(token: JoinToken, stored: str | None) -> bool:
    """Whether a parameter's text is this token."""
    try:
        return stored is not None and json.loads(stored) == token.document
    except ValueError:
        return False


def _read(secret: Mapping[str, Any]) -> JoinToken | None:
    try:
        values = {key: base64.b64decode(text).decode() for key, text in secret["data"].items()}
        if values["auth-extra-groups"] != BOOTSTRAP_GROUP:
            return None
        expires = datetime.strptime(values["expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        return JoinToken(values["token-id"], values["token-secret"], expires)
    except (KeyError, ValueError, binascii.Error):
        return None


def _time(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))
