"""Kubeconfig of the administrator. Pure: addresses and PEM texts in, document out."""

import base64

import yaml


def admin_kubeconfig(*, cluster: str, url: str, ca_pem: str, cert_pem: str, key_pem: str) -> str:
    """A kubeconfig that works wherever it is saved: nothing in it is a path."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": cluster,
                "cluster": {"server": url, "certificate-authority-data": _base64(ca_pem)},
            }
        ],
        "users": [
            {
                "name": f"{cluster}-admin",
                "user": {
                    "client-certificate-data": _base64(cert_pem),
                    "client-key-data": _base64(key_pem),
                },
            }
        ],
        "contexts": [
            {"name": cluster, "context": {"cluster": cluster, "user": f"{cluster}-admin"}}
        ],
        "current-context": cluster,
    }
    return yaml.safe_dump(document, sort_keys=False)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
