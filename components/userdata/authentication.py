"""Authentication configuration of kube-apiserver: anonymous access to health endpoints only."""

from functools import cache

from components.userdata.cloud_config import File, dump_yaml
from node.contract import KUBERNETES

AUTHENTICATION_CONFIG = f"{KUBERNETES}/authentication.yaml"


@cache
def authentication_config() -> File:
    """AuthenticationConfiguration v1; paths match exactly (KEP-4633)."""
    document = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {
            "enabled": True,
            "conditions": [{"path": "/livez"}, {"path": "/readyz"}, {"path": "/healthz"}],
        },
    }
    return File(AUTHENTICATION_CONFIG, dump_yaml(document))
