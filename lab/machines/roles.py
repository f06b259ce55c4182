"""The roles of instances: which one an instance has, what it may do, and keys for it."""

import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lab.machines.account import Clients, Instance
from lab.machines.metadata.tree import RoleKeys

LIFETIME = timedelta(hours=6)
RENEW = timedelta(hours=1)
"""Keys of instances live about six hours, and new ones are there at least five minutes before the
old ones expire (EC2 user guide, "Retrieve security credentials")."""


@dataclass(frozen=True)
class Caller:
    """Who makes a request: a role, on an instance."""

    role: str
    instance: str


class Roles:
    """Roles and their keys; what IAM says is remembered until `forget`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._lock = threading.Lock()
        self._keys: dict[str, RoleKeys] = {}
        self._callers: dict[str, tuple[Caller, str]] = {}
        self._roles: dict[str, str | None] = {}
        self._policies: dict[str, list[Mapping[str, Any]]] = {}

    def forget(self) -> None:
        """Ask IAM again from now on: something changed."""
        with self._lock:
            self._roles.clear()
            self._policies.clear()

    def keys(self, instance: Instance) -> RoleKeys | None:
        """Valid keys for the role of an instance; None when it has no role."""
        with self._lock:
            role = self._role(instance)
            if role is None:
                return None
            now = datetime.now(UTC)
            keys = self._keys.get(instance.id)
            if keys is None or keys.role != role or keys.expires - now < RENEW:
                keys = RoleKeys(
                    role=role,
                    access_key=f"ASIA{secrets.token_hex(8).upper()}",
                    secret_key=secrets.token_urlsafe(30),
                    token=secrets.token_urlsafe(60),
                    issued=now,
                    expires=now + LIFETIME,
                )
                self._keys[instance.id] = keys
                self._callers[keys.access_key] = (Caller(role, instance.id), keys.token)
            return keys

    def caller(self, access_key: str, token: str) -> Caller | None:
        """Whose keys these are; None for nobody's."""
        with self._lock:
            caller, expected = self._callers.get(access_key, (None, ""))
        return caller if secrets.compare_digest(token, expected) else None

    def policies(self, role: str) -> list[Mapping[str, Any]]:
        """The documents that say what a role may do, its own and the attached ones."""
        with self._lock:
            if role not in self._policies:
                self._policies[role] = _documents(self._clients("iam"), role)
            return self._policies[role]

    def _role(self, instance: Instance) -> str | None:
        if instance.profile is None:
            return None
        if instance.profile not in self._roles:
            name = instance.profile.rpartition("/")[2]
            iam = self._clients("iam")
            profile = iam.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]
            self._roles[instance.profile] = next(
                (str(role["RoleName"]) for role in profile["Roles"]), None
            )
        return self._roles[instance.profile]


def _documents(iam: Any, role: str) -> list[Mapping[str, Any]]:  # noqa: ANN401 - a client made by name has no type
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        documents.append(found["PolicyVersion"]["Document"])
    return [json.loads(one) if isinstance(one, str) else one for one in documents]
