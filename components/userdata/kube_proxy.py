"""kube-proxy: its unit, its configuration and its kubeconfig."""

from components.userdata.agent_units import PREPARED
from components.userdata.cloud_config import File, dump_yaml
from components.userdata.flags import command
from components.userdata.kubelet import DEAD_CONNECTION
from components.userdata.sandbox import FILE_SYSTEM, FOREVER, NO_MOUNT_NAMESPACE
from components.userdata.systemd import unit
from config import ClusterSettings
from node.contract import (
    BINARIES,
    KUBE_PROXY_HEALTH_PORT,
    KUBE_PROXY_UNIT,
    KUBELET_CERTIFICATE,
    KUBERNETES,
    KUBERNETES_PKI,
    NODE_ENV,
)

CONFIG = f"{KUBERNETES}/kube-proxy.yaml"
KUBECONFIG = f"{KUBERNETES}/kube-proxy.conf"

_POD_INTERFACES = "veth"
"""What the plug-in ptp begins the names of pods' interfaces with, on the machine's side."""


def kube_proxy_files(settings: ClusterSettings, api_url: str) -> tuple[File, ...]:
    """kube-proxy.service, its configuration, and the kubeconfig for the API at that URL."""
    return (
        _unit(),
        File(CONFIG, dump_yaml(kube_proxy_configuration(settings))),
        File(KUBECONFIG, dump_yaml(_kubeconfig(api_url))),
    )


def _unit() -> File:
    return unit(
        KUBE_PROXY_UNIT,
        {
            "Unit": {"Description": "Kubernetes kube-proxy", **PREPARED, **FOREVER},
            "Service": {
                "EnvironmentFile": NODE_ENV,
                "Environment": DEAD_CONNECTION,
                "ExecStart": command(
                    f"{BINARIES}/kube-proxy",
                    {"config": CONFIG, "hostname-override": "${NODE_NAME}"},
                ),
                # Until the kubelet has a certificate it has none either, and ends.
                "Restart": "always",
                "RestartSec": "5s",
                "OOMScoreAdjust": -999,
                "LimitNOFILE": 65536,
                **NO_MOUNT_NAMESPACE,
                **FILE_SYSTEM,
                # It sets the kernel's connection table.
                "ProtectKernelTunables": False,
                "ProtectProc": "invisible",
                # Root, who owns the kubelet's certificate, with the network alone.
                "CapabilityBoundingSet": "CAP_NET_ADMIN",
                "MemoryDenyWriteExecute": True,
                "SystemCallFilter": ["@system-service"],
                # A core dump would hold the private key.
                "LimitCORE": 0,
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


def kube_proxy_configuration(settings: ClusterSettings) -> dict[str, object]:
    """The KubeProxyConfiguration. What comes from pods it leaves unmasqueraded."""
    local: dict[str, object] = {
        "detectLocalMode": "ClusterCIDR",
        "clusterCIDR": str(settings.network.pod_cidr),
    }
    if settings.pods_in_vpc:
        # Pods' addresses are anywhere in the subnets of workers.
        local = {
            "detectLocalMode": "InterfaceNamePrefix",
            "detectLocal": {"interfaceNamePrefix": _POD_INTERFACES},
        }
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "clientConnection": {"kubeconfig": KUBECONFIG},
        **local,
        "healthzBindAddress": f"0.0.0.0:{KUBE_PROXY_HEALTH_PORT}",
        "metricsBindAddress": "127.0.0.1:10249",
    }


def _kubeconfig(api_url: str) -> dict[str, object]:
    """It names the kubelet's certificate, which the kubelet renews: client-go reads it again. Group
    `system:nodes` may what kube-proxy needs (node/cluster/manifests)."""
    cluster = {"certificate-authority": f"{KUBERNETES_PKI}/ca.crt", "server": api_url}
    credentials = {"client-certificate": KUBELET_CERTIFICATE, "client-key": KUBELET_CERTIFICATE}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": cluster}],
        "users": [{"name": "node", "user": credentials}],
        "contexts": [{"name": "node", "context": {"cluster": "cluster", "user": "node"}}],
        "current-context": "node",
    }
