"""The API server of this machine, as the cluster agent asks it."""

import json
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from node.contract import API_PORT
from node.errors import NodeError

ADDRESS, PORT = "127.0.0.1", API_PORT
SECONDS = 10.0
"""Of one request. An API server that takes longer is in trouble, and the next round asks again."""

FIELD_MANAGER = "ha-kubernetes"
_APPLY = "application/apply-patch+yaml"
"""JSON is YAML, and the only type that every version takes for server-side apply."""

RESOURCES: Mapping[str, tuple[str, bool]] = {
    "v1/ConfigMap": ("/api/v1/configmaps", True),
    "v1/Namespace": ("/api/v1/namespaces", False),
    "v1/Service": ("/api/v1/services", True),
    "v1/ServiceAccount": ("/api/v1/serviceaccounts", True),
    "apps/v1/Deployment": ("/apis/apps/v1/deployments", True),
    "policy/v1/PodDisruptionBudget": ("/apis/policy/v1/poddisruptionbudgets", True),
    "rbac.authorization.k8s.io/v1/ClusterRole": (
        "/apis/rbac.authorization.k8s.io/v1/clusterroles",
        False,
    ),
    "rbac.authorization.k8s.io/v1/ClusterRoleBinding": (
        "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
        False,
    ),
}
"""Where the objects of each kind are, and whether they are in a namespace."""


class ApiError(NodeError):
    """The API server refused; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"the API server answered {status}: {message}")
        self.status = status


class Api:
    """The API server; everything raises NodeError without an answer, ApiError for a refusal."""

    def __init__(self, pki: Path) -> None:
        name = pki / "cluster-agent"
        try:
            self._trust = ssl.create_default_context(cafile=str(pki / "ca.crt"))
            self._trust.load_cert_chain(f"{name}.crt", f"{name}.key", password="")
        except OSError as error:
            raise NodeError(f"{name}.crt and its CA cannot be used: {error}") from error

    def get(self, path: str, **query: str) -> Any:  # noqa: ANN401  JSON
        """An object or a list."""
        return self._ask("GET", path, query)

    def find(self, path: str) -> Any:  # noqa: ANN401  JSON
        """An object; None when there is none of that name."""
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def create(self, path: str, wanted: Mapping[str, Any]) -> None:
        """Make an object in the list of its kind."""
        self._ask("POST", path, {"fieldManager": FIELD_MANAGER}, wanted)

    def replace(self, path: str, wanted: Mapping[str, Any]) -> None:
        """Write an object as it was read, but for what changes; a conflict when it has changed."""
        self._ask("PUT", path, {"fieldManager": FIELD_MANAGER}, wanted)

    def apply(self, wanted: Mapping[str, Any], *, force: bool = False) -> None:
        """Server-side apply: own the fields of `wanted`, and leave all others as they are.

        ApiError with status 409 when somebody else owns one of them with another value, unless
        forced.
        """
        query = {"fieldManager": FIELD_MANAGER, "force": str(force).lower()}
        self._ask("PATCH", path_of(wanted), query, wanted, _APPLY)

    def annotate(self, path: str, uid: str, key: str, value: str | None) -> None:
        """Give the object that has this uid an annotation, or take it away with None."""
        body = {"metadata": {"uid": uid, "annotations": {key: value}}}
        try:
            self._ask("PATCH", path, {}, body, "application/merge-patch+json")
        except ApiError as error:
            # Gone; changed meanwhile; or another of its name, whose uid is another.
            if error.status not in {404, 409, 422}:
                raise

    def delete(self, path: str, uid: str) -> None:
        """Delete the object that has this uid; another one of its name stays."""
        options = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}}
        try:
            self._ask("DELETE", path, {"propagationPolicy": "Background"}, options)
        except ApiError as error:
            # Gone, or another of its name.
            if error.status not in {404, 409}:
                raise

    def evict(self, path: str, uid: str) -> str:
        """Evict the pod that has this uid; why a disruption budget refuses, or nothing."""
        _, _, name = path.rpartition("/")
        body = {
            "apiVersion": "policy/v1",
            "kind": "Eviction",
            "metadata": {"name": name},
            "deleteOptions": {"preconditions": {"uid": uid}},
        }
        try:
            self._ask("POST", f"{path}/eviction", {}, body)
        except ApiError as error:
            if error.status == 429:
                return str(error)
            # Gone, or another of its name.
            if error.status not in {404, 409}:
                raise
        return ""

    def _ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: Mapping[str, Any] | None = None,
        content_type: str = "application/json",
    ) -> Any:  # noqa: ANN401  JSON
        connection = HTTPSConnection(ADDRESS, PORT, timeout=SECONDS, context=self._trust)
        given = None if body is None else json.dumps(body)
        target = f"{path}?{urlencode(query)}" if query else path
        try:
            connection.request(method, target, given, {"Content-Type": content_type})
            response = connection.getresponse()
            status, text = response.status, response.read().decode()
            answer = json.loads(text)
        except (OSError, HTTPException, ValueError) as error:
            raise NodeError(
                f"{ADDRESS}:{PORT} did not answer {method} {path}: {error!r}"
            ) from error
        finally:
            connection.close()
        if status >= 300:
            raise ApiError(status, answer.get("message", ""))
        return answer


def kind_of(document: Mapping[str, Any]) -> str:
    """The key of an object's kind in RESOURCES."""
    return f"{document['apiVersion']}/{document['kind']}"


def path_of(document: Mapping[str, Any]) -> str:
    """Where an object is."""
    collection, namespaced = RESOURCES[kind_of(document)]
    # ":" is part of many names of roles, and needs no other form in a path.
    name = quote(document["metadata"]["name"], safe=":")
    if not namespaced:
        return f"{collection}/{name}"
    group, _, plural = collection.rpartition("/")
    return f"{group}/namespaces/{document['metadata']['namespace']}/{plural}/{name}"
