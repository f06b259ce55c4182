"""Pod Security of the namespaces that every cluster begins with. Pure.

`default` takes what an ordinary application needs and no pod that could take over its machine; who
needs such pods makes a namespace for them. The other two are no place for pods. kube-system stays
as it is, privileged: network and storage plug-ins live there.
"""

from typing import Any

_LABEL = "pod-security.kubernetes.io"


def manifests() -> list[dict[str, Any]]:
    """The labels alone: namespaces are the API server's own."""
    return [
        _namespace("default", enforce="baseline", warn="restricted"),
        _namespace("kube-node-lease", enforce="restricted"),
        _namespace("kube-public", enforce="restricted"),
    ]


def _namespace(name: str, **levels: str) -> dict[str, Any]:
    labels = {f"{_LABEL}/{mode}": level for mode, level in levels.items()}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
