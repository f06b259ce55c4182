"""Audit policy of kube-apiserver."""

from functools import cache

from components.userdata.cloud_config import File, dump_yaml
from node.contract import KUBERNETES

AUDIT_POLICY = f"{KUBERNETES}/audit-policy.yaml"

_CONTROLLERS = ["system:kube-controller-manager", "system:kube-scheduler"]


@cache
def audit_policy() -> File:
    """The first rule that matches decides. No rule writes down the body of a secret."""
    return File(AUDIT_POLICY, dump_yaml(_POLICY))


def _resources(group: str, *resources: str) -> dict[str, object]:
    return {"group": group, "resources": list(resources)} if resources else {"group": group}


_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        # The load balancer's checks, and renewals: every few seconds, for ever.
        {"level": "None", "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version"]},
        {
            "level": "None",
            "users": _CONTROLLERS,
            "resources": [_resources("coordination.k8s.io", "leases")],
        },
        {
            "level": "None",
            "userGroups": ["system:nodes"],
            "resources": [_resources("coordination.k8s.io", "leases")],
        },
        {"level": "None", "resources": [_resources("", "events"), _resources("events.k8s.io")]},
        {
            "level": "RequestResponse",
            "verbs": ["create", "update", "patch", "delete", "deletecollection"],
            "resources": [_resources("rbac.authorization.k8s.io")],
        },
        {"level": "Metadata"},
    ],
}
