"""kube-controller-manager and kube-scheduler: one of each leads, the others stand by."""

from datetime import timedelta
from functools import cache

from components.userdata.agent_archive import AGENT
from components.userdata.agent_units import PREPARED
from components.userdata.cloud_config import File, dump_yaml
from components.userdata.flags import command
from components.userdata.kubeconfig import kubeconfig, kubeconfig_path
from components.userdata.sandbox import DAEMON, FOREVER
from components.userdata.systemd import unit
from config import ClusterSettings
from config.types import format_duration
from node.contract import (
    API_SERVER_UNIT,
    BINARIES,
    KUBERNETES,
    KUBERNETES_PKI,
    KUBERNETES_USER,
)

CERTIFICATE_LIFE = timedelta(days=14)
"""Longest life of a certificate that somebody requests of the cluster: a kubelet's outlives its
instance by no more. A kubelet renews between 70 and 90 % of it (client-go, jitteryDuration), which
leaves at least 33 hours in which the control plane or EC2 may be away."""

SCHEDULER_CONFIG = f"{KUBERNETES}/scheduler.yaml"


def controller_files(settings: ClusterSettings) -> tuple[File, ...]:
    """Both units, their kubeconfigs, and the scheduler's configuration."""
    return (
        kubeconfig("controller-manager"),
        kubeconfig("scheduler"),
        _scheduler_config(),
        _unit("kube-controller-manager", controller_manager_flags(settings)),
        _unit("kube-scheduler", scheduler_flags(settings)),
    )


def _unit(name: str, flags: dict[str, str | bool]) -> File:
    wants, after = PREPARED["Wants"], PREPARED["After"]
    return unit(
        f"{name}.service",
        {
            "Unit": {
                "Description": f"Kubernetes {name.removeprefix('kube-').replace('-', ' ')}",
                # After the API server, so that it stops first and can still give up its lease.
                "Wants": wants,
                "After": f"{after} {API_SERVER_UNIT}",
                **FOREVER,
            },
            "Service": {
                "User": KUBERNETES_USER,
                "ExecStart": command(f"{BINARIES}/{name}", flags),
                # A leader that died must not keep the others waiting for its lease to expire.
                # In the daemon's own sandbox; whatever comes of it, the daemon starts again (-).
                "ExecStopPost": f"-/usr/bin/python3 {AGENT} release-lease {name}",
                "TimeoutStopSec": "30s",
                "Restart": "always",
                "RestartSec": "2s",
                # A standby on another machine takes over: these go before the API server.
                "OOMScoreAdjust": 100,
                "LimitNOFILE": 65536,
                **DAEMON,
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


def _common(settings: ClusterSettings, user: str) -> dict[str, str | bool]:
    controllers = settings.controllers
    return {
        "authentication-kubeconfig": kubeconfig_path(user),
        "authorization-kubeconfig": kubeconfig_path(user),
        "bind-address": "127.0.0.1",
        "leader-elect": True,
        "leader-elect-lease-duration": format_duration(controllers.lease_duration),
        "leader-elect-renew-deadline": format_duration(controllers.renew_deadline),
        "leader-elect-retry-period": format_duration(controllers.retry_period),
        "tls-min-version": "VersionTLS12",
    }


def controller_manager_flags(settings: ClusterSettings) -> dict[str, str | bool]:
    """Every flag of kube-controller-manager."""
    return {
        **_common(settings, "controller-manager"),
        "kubeconfig": kubeconfig_path("controller-manager"),
        **_pod_ranges(settings),
        "cluster-name": settings.cluster_name,
        "cluster-signing-cert-file": f"{KUBERNETES_PKI}/ca.crt",
        "cluster-signing-duration": format_duration(CERTIFICATE_LIFE),
        "cluster-signing-key-file": f"{KUBERNETES_PKI}/ca.key",
        # All that are on by default, and the two that bootstrap tokens need.
        "controllers": "*,bootstrapsigner,tokencleaner",
        "node-monitor-grace-period": format_duration(settings.eviction.node_monitor_grace),
        "profiling": False,
        "root-ca-file": f"{KUBERNETES_PKI}/ca.crt",
        "service-account-private-key-file": f"{KUBERNETES_PKI}/sa.key",
        "service-cluster-ip-range": str(settings.network.service_cidr),
        "use-service-account-credentials": True,
    }


def _pod_ranges(settings: ClusterSettings) -> dict[str, str | bool]:
    """Whether each Node gets a range of the pod network."""
    if settings.workers and settings.network.pod_network == "vpc":
        # Pods have addresses of the VPC: a range that nobody uses would mislead whoever reads it.
        return {"allocate-node-cidrs": False}
    return {"allocate-node-cidrs": True, "cluster-cidr": str(settings.network.pod_cidr)}


def scheduler_flags(settings: ClusterSettings) -> dict[str, str | bool]:
    """Every flag of kube-scheduler. Leader election flags override its configuration file."""
    return {**_common(settings, "scheduler"), "config": SCHEDULER_CONFIG}


@cache
def _scheduler_config() -> File:
    """What the deprecated flags --kubeconfig and --profiling said."""
    document = {
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "clientConnection": {"kubeconfig": kubeconfig_path("scheduler")},
        "enableProfiling": False,
    }
    return File(SCHEDULER_CONFIG, dump_yaml(document))
