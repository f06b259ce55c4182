"""kubelet: its unit, its flags and its KubeletConfiguration."""

from components.naming import WorkerPool
from components.pki.certificates import CLUSTER_DOMAIN
from components.userdata.agent_units import PREPARED
from components.userdata.cloud_config import File, dump_yaml
from components.userdata.flags import command
from components.userdata.sandbox import FOREVER
from components.userdata.systemd import unit
from components.userdata.worker_runtime import SOCKET
from components.workers.cluster_document import cluster_dns
from config import ClusterSettings
from node.contract import (
    BINARIES,
    BOOTSTRAP_KUBECONFIG,
    CONTAINERD_UNIT,
    KUBELET_KUBECONFIG,
    KUBELET_PKI,
    KUBELET_UNIT,
    KUBERNETES,
    KUBERNETES_PKI,
    NODE_ENV,
    POOL_LABEL,
)

CONFIG = f"{KUBERNETES}/kubelet.yaml"

DROP_INS = f"{KUBERNETES}/kubelet.conf.d"
"""Files `*.conf` there change the configuration: for a machine of a kind of its own."""

DEAD_CONNECTION: list[str] = ["HTTP2_READ_IDLE_TIMEOUT_SECONDS=5", "HTTP2_PING_TIMEOUT_SECONDS=3"]
"""client-go leaves an API server that says nothing, not even to a ping, after 8 s. Its defaults add
up to 45 s, longer than a worker may be silent before it counts as dead (`eviction`)."""

_SHUTDOWN_SECONDS = 30
"""Pods' time to stop when their machine shuts down: the default of a pod's own
`terminationGracePeriodSeconds`. A drain comes first where the machine is to go."""
_CRITICAL_SECONDS = 10
"""Part of it that critical pods have for themselves, after the others: DNS among them."""


def kubelet_files(settings: ClusterSettings, pool: WorkerPool, max_pods: int) -> tuple[File, File]:
    """kubelet.service and its configuration, for a worker with room for so many pods."""
    configuration = kubelet_configuration(settings, pool, max_pods)
    return (_unit(settings, pool), File(CONFIG, dump_yaml(configuration)))


def _unit(settings: ClusterSettings, pool: WorkerPool) -> File:
    wants, after = PREPARED["Wants"], PREPARED["After"]
    return unit(
        KUBELET_UNIT,
        {
            "Unit": {
                "Description": "Kubernetes kubelet",
                "Wants": f"{wants} {CONTAINERD_UNIT}",
                "After": f"{after} {CONTAINERD_UNIT}",
                **FOREVER,
            },
            # No sandbox: it mounts volumes where containers see them, and sets the kernel's values.
            "Service": {
                "EnvironmentFile": NODE_ENV,
                "Environment": DEAD_CONNECTION,
                "ExecStart": command(f"{BINARIES}/kubelet", kubelet_flags(settings, pool)),
                "ConfigurationDirectory": DROP_INS.removeprefix("/etc/"),
                # Without a token or a certificate it ends and says why; the agent brings a token.
                "Restart": "always",
                "RestartSec": "5s",
                "OOMScoreAdjust": -999,
                "LimitNOFILE": 1048576,
                "TasksMax": "infinity",
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


def kubelet_flags(settings: ClusterSettings, pool: WorkerPool) -> dict[str, str | int | bool]:
    """What no configuration file can say, and what is of this machine: names from `prepare`."""
    return {
        "config": CONFIG,
        "config-dir": DROP_INS,
        # While there is no certificate; then the kubelet writes a kubeconfig that names its own.
        "bootstrap-kubeconfig": BOOTSTRAP_KUBECONFIG,
        "kubeconfig": KUBELET_KUBECONFIG,
        "cert-dir": KUBELET_PKI,
        "hostname-override": "${NODE_NAME}",
        "node-ip": "${NODE_ADDRESS}",
        "node-labels": ",".join(f"{key}={value}" for key, value in _labels(settings, pool).items()),
        "provider-id": "${PROVIDER_ID}",
    }


def _labels(settings: ClusterSettings, pool: WorkerPool) -> dict[str, str]:
    """Labels of the Node. NodeRestriction lets a kubelet set these of Kubernetes' own."""
    return {
        "node.kubernetes.io/instance-type": "${INSTANCE_TYPE}",
        "topology.kubernetes.io/region": "${REGION}",
        "topology.kubernetes.io/zone": "${ZONE}",
        POOL_LABEL: pool.name,
        **dict(sorted(settings.workers[pool.name].labels.items())),
    }


def kubelet_configuration(
    settings: ClusterSettings, pool: WorkerPool, max_pods: int
) -> dict[str, object]:
    """The KubeletConfiguration."""
    document: dict[str, object] = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{KUBERNETES_PKI}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "systemd",
        "clusterDNS": [cluster_dns(settings)],
        "clusterDomain": CLUSTER_DOMAIN,
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        # For the kube-proxy of other modes.
        "makeIPTablesUtilChains": False,
        "kubeReserved": {
            "cpu": "100m",
            # As EKS's image has it, whose workers run the same daemons for as many pods.
            "memory": f"{255 + 11 * max_pods}Mi",
            "ephemeral-storage": "1Gi",
        },
        "maxPods": max_pods,
        # One pod's processes must not be all that the machine can have.
        "podPidsLimit": 4096,
        "readOnlyPort": 0,
        "registerWithTaints": [_taint(taint) for taint in settings.workers[pool.name].taints],
        # The stub at 127.0.0.53 is the machine's own: a pod would ask itself.
        "resolvConf": "/run/systemd/resolve/resolv.conf",
        "rotateCertificates": True,
        "seccompDefault": True,
        # After a failover many images come at once.
        "serializeImagePulls": False,
        "maxParallelImagePulls": 5,
        # Asked for at the API server, where the cluster agent approves what is this machine's.
        "serverTLSBootstrap": True,
        "shutdownGracePeriod": f"{_SHUTDOWN_SECONDS + _CRITICAL_SECONDS}s",
        "shutdownGracePeriodCriticalPods": f"{_CRITICAL_SECONDS}s",
        "tlsMinVersion": "VersionTLS12",
    }
    if not document["registerWithTaints"]:
        del document["registerWithTaints"]
    return document


def _taint(taint: str) -> dict[str, str]:
    """A taint as the API has it, from `key=value:Effect` or `key:Effect`."""
    rest, _, effect = taint.rpartition(":")
    key, _, value = rest.partition("=")
    return {"key": key, **({"value": value} if value else {}), "effect": effect}
