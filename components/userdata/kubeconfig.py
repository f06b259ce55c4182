"""Kubeconfigs of the controllers: they name certificate files and hold no certificate.

client-go re-reads certificate files, so a refreshed certificate restarts nothing.
"""

from functools import cache

from components.userdata.cloud_config import File, dump_yaml
from node.contract import API_PORT, KUBERNETES, KUBERNETES_PKI


@cache
def kubeconfig(user: str) -> File:
    """The kubeconfig of a daemon that talks to the API server of its own machine."""
    return File(kubeconfig_path(user), dump_yaml(_document(user)))


def kubeconfig_path(user: str) -> str:
    """Where the kubeconfig of a daemon is."""
    return f"{KUBERNETES}/{user}.kubeconfig"


def _document(user: str) -> dict[str, object]:
    cluster = {
        "certificate-authority": f"{KUBERNETES_PKI}/ca.crt",
        "server": f"https://127.0.0.1:{API_PORT}",
    }
    credentials = {
        "client-certificate": f"{KUBERNETES_PKI}/{user}.crt",
        "client-key": f"{KUBERNETES_PKI}/{user}.key",
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "local", "cluster": cluster}],
        "users": [{"name": user, "user": credentials}],
        "contexts": [{"name": "local", "context": {"cluster": "local", "user": user}}],
        "current-context": "local",
    }
