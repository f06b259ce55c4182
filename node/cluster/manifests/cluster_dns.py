"""CoreDNS, as upstream deploys it, but spread so that no loss takes all replicas. Pure.

After kubeadm of Kubernetes 1.36 (app/phases/addons/dns). What differs:

    spread       by constraints: its `preferred` anti-affinity and `ScheduleAnyway` both left two
                 replicas on one machine after a rollout. What changes after the start
                 is for node.cluster.dns_moves
    tolerations  of a machine that is gone: 10 s rather than the cluster's default, because
                 everybody else waits for DNS
    rollout      the new one first
"""

from typing import Any

from node.cluster.addons import Addons

NAMESPACE = "kube-system"
NAME = "coredns"
CUSTOM = "coredns-custom"
"""ConfigMap of a person's own: keys `*.override` belong into the block of the cluster, keys
`*.server` are blocks of their own. The Corefile itself is kept as it is here."""
_CUSTOM_PATH = "/etc/coredns-custom"

TOLERATION_SECONDS = 10
SELECTOR = {"k8s-app": "kube-dns"}
"""Everybody looks for this label, since kube-dns was there before CoreDNS."""
_LABELS = {
    **SELECTOR,
    "kubernetes.io/cluster-service": "true",
    "kubernetes.io/name": "CoreDNS",
}


def corefile(domain: str) -> str:
    """The configuration."""
    return f"""\
.:53 {{
    errors
    health {{
       lameduck 5s
    }}
    ready
    kubernetes {domain} in-addr.arpa ip6.arpa {{
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }}
    prometheus :9153
    forward . /etc/resolv.conf {{
       max_concurrent 1000
    }}
    cache 30 {{
       disable success {domain}
       disable denial {domain}
    }}
    loop
    reload
    loadbalance
    import {_CUSTOM_PATH}/*.override
}}
import {_CUSTOM_PATH}/*.server
"""


def manifests(addons: Addons, replicas: int) -> list[dict[str, Any]]:
    """Its objects."""
    role = f"system:{NAME}"
    group = "rbac.authorization.k8s.io"
    return [
        _object("v1", "ServiceAccount", NAME),
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": role},
            "rules": [
                _watch("", "endpoints", "services", "pods", "namespaces"),
                _watch("discovery.k8s.io", "endpointslices"),
            ],
        },
        {
            "apiVersion": f"{group}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": role},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
            "subjects": [{"kind": "ServiceAccount", "name": NAME, "namespace": NAMESPACE}],
        },
        {
            **_object("v1", "ConfigMap", NAME),
            "data": {"Corefile": corefile(addons.cluster_domain)},
        },
        _service(addons.cluster_dns),
        {
            **_object("policy/v1", "PodDisruptionBudget", NAME),
            "spec": {
                "maxUnavailable": 1,
                "selector": {"matchLabels": SELECTOR},
                # A replica that does not work protects nobody, and would block a drain.
                "unhealthyPodEvictionPolicy": "AlwaysAllow",
            },
        },
        _deployment(addons.coredns_image, replicas),
    ]


def _object(version: str, kind: str, name: str, **labels: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, "namespace": NAMESPACE}
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {**metadata, "labels": labels} if labels else metadata,
    }


def _watch(group: str, *resources: str) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": ["list", "watch"]}


def _service(address: str) -> dict[str, Any]:
    ports = (("dns", 53, "UDP"), ("dns-tcp", 53, "TCP"), ("metrics", 9153, "TCP"))
    return {
        **_object("v1", "Service", "kube-dns", **_LABELS),
        "spec": {
            "clusterIP": address,
            "selector": SELECTOR,
            "ports": [
                {"name": name, "port": port, "protocol": protocol, "targetPort": port}
                for name, port, protocol in ports
            ],
        },
    }


def _deployment(image: str, replicas: int) -> dict[str, Any]:
    return {
        **_object("apps/v1", "Deployment", NAME, **_LABELS),
        "spec": {
            "replicas": replicas,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
            },
            "selector": {"matchLabels": SELECTOR},
            "template": {
                "metadata": {"labels": SELECTOR},
                "spec": {
                    "serviceAccountName": NAME,
                    "priorityClassName": "system-cluster-critical",
                    "nodeSelector": {"kubernetes.io/os": "linux"},
                    "tolerations": _tolerations(),
                    "topologySpreadConstraints": [
                        _spread("topology.kubernetes.io/zone"),
                        _spread("kubernetes.io/hostname"),
                    ],
                    "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
                    # The machine's own resolver; that of the cluster would be itself.
                    "dnsPolicy": "Default",
                    "containers": [_container(image)],
                    "volumes": [
                        {"name": "config", "configMap": {"name": NAME}},
                        {"name": "custom", "configMap": {"name": CUSTOM, "optional": True}},
                    ],
                },
            },
        },
    }


def _tolerations() -> list[dict[str, Any]]:
    gone = [
        {
            "key": f"node.kubernetes.io/{state}",
            "operator": "Exists",
            "effect": "NoExecute",
            "tolerationSeconds": TOLERATION_SECONDS,
        }
        for state in ("not-ready", "unreachable")
    ]
    return [{"key": "CriticalAddonsOnly", "operator": "Exists"}, *gone]


def _spread(key: str) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": key,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": SELECTOR},
        # Those of this rollout alone, so that the old ones do not push the new ones together.
        "matchLabelKeys": ["pod-template-hash"],
        # A machine that died has no replica any more, and would otherwise have to get the next.
        "nodeTaintsPolicy": "Honor",
    }


def _container(image: str) -> dict[str, Any]:
    return {
        "name": NAME,
        "image": image,
        "args": ["-conf", "/etc/coredns/Corefile"],
        "resources": {
            "requests": {"cpu": "100m", "memory": "70Mi"},
            "limits": {"memory": "170Mi"},
        },
        "ports": [
            {"name": "dns", "containerPort": 53, "protocol": "UDP"},
            {"name": "dns-tcp", "containerPort": 53, "protocol": "TCP"},
            {"name": "metrics", "containerPort": 9153, "protocol": "TCP"},
        ],
        "livenessProbe": {
            "httpGet": {"path": "/health", "port": 8080, "scheme": "HTTP"},
            "initialDelaySeconds": 60,
            "timeoutSeconds": 5,
            "failureThreshold": 5,
        },
        "readinessProbe": {
            "httpGet": {"path": "/ready", "port": 8181, "scheme": "HTTP"},
            # The others go on; a Service must not keep one that does not answer for half a minute.
            "periodSeconds": 5,
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
        "volumeMounts": [
            {"name": "config", "mountPath": "/etc/coredns", "readOnly": True},
            {"name": "custom", "mountPath": _CUSTOM_PATH, "readOnly": True},
        ],
    }
