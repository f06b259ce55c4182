"""Key policies.

Stock moto takes a policy that names a role which does not exist. AWS refuses it, and the
service-linked role of Auto Scaling does not exist in an account that never had a group.
"""

import json
import re
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.iam.models import iam_backends
from moto.kms.models import Key, KmsBackend

from lab.cloud.corrections.patching import Method, extends, given

ROLE = re.compile(r"arn:aws:iam::(\d{12}):role/(?:.*/)?([^/]+)")


def _check(backend: KmsBackend, policy: str | None) -> None:
    """Raises MalformedPolicyDocumentException."""
    if not policy:
        return
    statements = json.loads(policy)["Statement"]
    known = {role.name for role in list(iam_backends[backend.account_id]["aws"].roles.values())}
    for statement in statements if isinstance(statements, list) else [statements]:
        for named in _principals(statement.get("Principal")):
            match = ROLE.fullmatch(named)
            if match and match[1] == backend.account_id and match[2] not in known:
                raise JsonRESTError(
                    "MalformedPolicyDocumentException",
                    "Policy contains a statement with one or more invalid principals.",
                )


def _principals(principal: Any) -> list[str]:  # noqa: ANN401 - JSON
    named = principal.get("AWS", []) if isinstance(principal, dict) else []
    return [str(one) for one in (named if isinstance(named, list) else [named])]


@extends(KmsBackend, "create_key")
def create_key(original: Method, backend: KmsBackend, *args: object, **kwargs: object) -> Key:
    """CreateKey. Raises MalformedPolicyDocumentException."""
    _check(backend, given(original, backend, *args, **kwargs)["policy"])
    key: Key = original(backend, *args, **kwargs)
    return key


@extends(KmsBackend, "put_key_policy")
def put_key_policy(original: Method, backend: KmsBackend, key_id: str, policy: str) -> None:
    """PutKeyPolicy. Raises MalformedPolicyDocumentException."""
    _check(backend, policy)
    original(backend, key_id, policy)
