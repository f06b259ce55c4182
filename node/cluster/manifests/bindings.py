"""Who may do what while workers join: nothing of it is on by default in Kubernetes. Pure."""

from typing import Any

from node.contract import BOOTSTRAP_GROUP

_GROUP = "rbac.authorization.k8s.io"
NODES = "system:nodes"


def manifests() -> list[dict[str, Any]]:
    """Bindings of roles that every API server has."""
    return [
        # Ask for a certificate, and see what becomes of it. Approval is the cluster agent's, of
        # renewals as well: nodes get none of the rights by which the controller-manager approves.
        _binding("node-bootstrapper", "system:node-bootstrapper", BOOTSTRAP_GROUP),
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
