"""kube-apiserver: its unit and its flags."""

from datetime import timedelta

from components.userdata.agent_units import PREPARED
from components.userdata.audit import AUDIT_POLICY
from components.userdata.authentication import AUTHENTICATION_CONFIG
from components.userdata.cloud_config import File
from components.userdata.flags import command
from components.userdata.sandbox import DAEMON, FOREVER
from components.userdata.systemd import unit
from config import ClusterSettings
from config.types import format_duration
from node.contract import (
    API_PORT,
    API_SERVER_UNIT,
    BINARIES,
    ETCD_CLIENT_PORT,
    FRONT_PROXY_COMMON_NAME,
    KUBERNETES_PKI,
    KUBERNETES_USER,
    NODE_ENV,
    PROXY_UNIT,
)

SERVICE_ACCOUNT_ISSUER = "https://kubernetes.default.svc.cluster.local"

REQUEST_TIMEOUT = timedelta(seconds=60)
"""kube-apiserver's default: how long it waits at most for requests in flight when it stops."""
STOP_MARGIN = timedelta(seconds=15)
"""For the hooks before and after; systemd kills what is still there afterwards."""


def kube_apiserver_unit(settings: ClusterSettings) -> File:
    """kube-apiserver.service."""
    stop = settings.api.shutdown_delay + REQUEST_TIMEOUT + STOP_MARGIN
    wants, after = PREPARED["Wants"], PREPARED["After"]
    return unit(
        API_SERVER_UNIT,
        {
            "Unit": {
                "Description": "Kubernetes API server",
                # After the proxy, so that it stops before it: requests in flight need etcd.
                "Wants": f"{wants} {PROXY_UNIT}",
                "After": f"{after} {PROXY_UNIT}",
                **FOREVER,
            },
            "Service": {
                "Type": "notify",
                "User": KUBERNETES_USER,
                "EnvironmentFile": NODE_ENV,
                "ExecStart": command(f"{BINARIES}/kube-apiserver", kube_apiserver_flags(settings)),
                "TimeoutStartSec": "300s",
                "TimeoutStopSec": format_duration(stop),
                "Restart": "always",
                "RestartSec": "2s",
                "OOMScoreAdjust": -500,
                # Connections: one per client and watch cache, thousands after a failover.
                "LimitNOFILE": 524288,
                "LogsDirectory": "kubernetes",
                "LogsDirectoryMode": "0700",
                **DAEMON,
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


def kube_apiserver_flags(settings: ClusterSettings) -> dict[str, str | int | float | bool]:
    """Every flag; none that is deprecated in 1.36, and no gate that 1.37 no longer knows."""
    return {
        **_serving(settings),
        **_etcd(),
        **_authentication(),
        **_front_proxy(),
        **_audit(),
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        # Pods such as the network plug-in's need it; Pod Security decides which ones may.
        "allow-privileged": True,
        "service-cluster-ip-range": str(settings.network.service_cidr),
        **_kubelets(settings),
        **_eviction(settings),
        "profiling": False,
    }


def _kubelets(settings: ClusterSettings) -> dict[str, str | int | float | bool]:
    # Pools' kubelets serve by a certificate of the cluster's CA; others may sign their own.
    verified = {"kubelet-certificate-authority": f"{KUBERNETES_PKI}/ca.crt"}
    return {
        "kubelet-client-certificate": f"{KUBERNETES_PKI}/apiserver-kubelet-client.crt",
        "kubelet-client-key": f"{KUBERNETES_PKI}/apiserver-kubelet-client.key",
        "kubelet-preferred-address-types": "InternalIP,Hostname",
        **(verified if settings.workers else {}),
    }


def _eviction(settings: ClusterSettings) -> dict[str, str | int | float | bool]:
    # Of pods that do not say themselves how long they tolerate it.
    seconds = int(settings.eviction.toleration.total_seconds())
    return {
        "default-not-ready-toleration-seconds": seconds,
        "default-unreachable-toleration-seconds": seconds,
    }


def _serving(settings: ClusterSettings) -> dict[str, str | int | float | bool]:
    return {
        # This machine, never the load balancer: it becomes an endpoint of the kubernetes Service.
        "advertise-address": "${NODE_ADDRESS}",
        "secure-port": API_PORT,
        "endpoint-reconciler-type": "lease",
        "tls-cert-file": f"{KUBERNETES_PKI}/apiserver.crt",
        "tls-private-key-file": f"{KUBERNETES_PKI}/apiserver.key",
        "tls-min-version": "VersionTLS12",
        # HTTP/2 clients would stay with one server for ever after a rolling restart.
        "goaway-chance": 0.001,
        "shutdown-delay-duration": format_duration(settings.api.shutdown_delay),
        "shutdown-send-retry-after": True,
        # No kube-proxy runs here, so the addresses of Services lead nowhere: reach aggregated
        # APIs and webhooks at their endpoints.
        "enable-aggregator-routing": True,
    }


def _etcd() -> dict[str, str | int | float | bool]:
    return {
        # The local proxy, TLS end to end: a member that vanishes costs 0.3 s instead of 10 s.
        "etcd-servers": f"https://127.0.0.1:{ETCD_CLIENT_PORT}",
        "etcd-cafile": f"{KUBERNETES_PKI}/etcd-ca.crt",
        "etcd-certfile": f"{KUBERNETES_PKI}/apiserver-etcd-client.crt",
        "etcd-keyfile": f"{KUBERNETES_PKI}/apiserver-etcd-client.key",
        "encryption-provider-config": f"{KUBERNETES_PKI}/encryption.yaml",
        "encryption-provider-config-automatic-reload": True,
    }


def _authentication() -> dict[str, str | int | float | bool]:
    return {
        "authentication-config": AUTHENTICATION_CONFIG,
        "client-ca-file": f"{KUBERNETES_PKI}/ca.crt",
        "enable-bootstrap-token-auth": True,
        "service-account-issuer": SERVICE_ACCOUNT_ISSUER,
        "service-account-key-file": f"{KUBERNETES_PKI}/sa.pub",
        "service-account-signing-key-file": f"{KUBERNETES_PKI}/sa.key",
    }


def _front_proxy() -> dict[str, str | int | float | bool]:
    return {
        "proxy-client-cert-file": f"{KUBERNETES_PKI}/front-proxy-client.crt",
        "proxy-client-key-file": f"{KUBERNETES_PKI}/front-proxy-client.key",
        "requestheader-allowed-names": FRONT_PROXY_COMMON_NAME,
        "requestheader-client-ca-file": f"{KUBERNETES_PKI}/front-proxy-ca.crt",
        "requestheader-extra-headers-prefix": "X-Remote-Extra-",
        "requestheader-group-headers": "X-Remote-Group",
        "requestheader-username-headers": "X-Remote-User",
    }


def _audit() -> dict[str, str | int | float | bool]:
    return {
        "audit-policy-file": AUDIT_POLICY,
        "audit-log-path": "/var/log/kubernetes/audit.log",
        # The default waits for the disk in every request.
        "audit-log-mode": "batch",
        "audit-log-maxage": 30,
        "audit-log-maxbackup": 10,
        "audit-log-maxsize": 100,
    }
