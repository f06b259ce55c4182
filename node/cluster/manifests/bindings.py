"""Who may do what while workers join: nothing of it is on by default in Kubernetes. Pure."""

from typing import Any

from node.contract import BOOTSTRAP_GROUP

_GROUP = "rbac.authorization.k8s.io"
NODES = "system:nodes"


def manifests() -> list[dict[str, Any]]:
    """Bindings of roles that every API server has."""
    return [
        # Ask for a certificate, and see what becomes of it. Approval is the cluster agent's.
        _binding("node-bootstrapper", "system:node-bootstrapper", BOOTSTRAP_GROUP),
        # The controller-manager approves renewals: of a kubelet, in its own name.
        _binding(
            "node-renewal",
            "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient",
            NODES,
        ),
        # kube-proxy has the certificate of its machine's kubelet: Services, EndpointSlices, Nodes.
        _binding("node-proxier", "system:node-proxier", NODES),
    ]


def _binding(name: str, role: str, group: str) -> dict[str, Any]:
    return {
        "apiVersion": f"{_GROUP}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": f"ha-kubernetes:{name}"},
        "roleRef": {"apiGroup": _GROUP, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": _GROUP, "kind": "Group", "name": group}],
    }
