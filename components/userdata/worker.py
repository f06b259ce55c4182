"""User data of the workers of a pool, the same for all of them."""

from components.naming import WorkerPool
from components.userdata.agent_units import node_json, node_units
from components.userdata.artifact_sources import worker_artifacts
from components.userdata.cloud_config import CloudConfig
from components.userdata.kube_proxy import kube_proxy_files
from components.userdata.kubelet import kubelet_files
from components.userdata.operating_system import APPLY, pool_host_files
from components.userdata.worker_runtime import runtime_files
from config import ClusterSettings
from config.image import PACKAGES
from node.contract import (
    AGENT_UNIT,
    CONTAINERD_UNIT,
    DRAIN_HOOK,
    JOIN_HOOK,
    KUBE_PROXY_UNIT,
    KUBELET_UNIT,
    KUBERNETES,
)

_UNITS = (
    "node-packages.service",
    "node-agent.service",
    "node-prepare.service",
    CONTAINERD_UNIT,
    KUBELET_UNIT,
    KUBE_PROXY_UNIT,
    AGENT_UNIT,
)


def worker(
    settings: ClusterSettings,
    pool: WorkerPool,
    *,
    region: str,
    bucket: str,
    api_url: str,
    max_pods: int,
) -> CloudConfig:
    """The user data of a pool. No secret is in it: a worker fetches the token that it joins with.

    `bucket` is the cluster's, which holds the agent; `api_url` is the load balancer's.
    """
    identity = node_json(
        settings,
        name=pool.resource_name(settings.cluster_name),
        tier="worker",
        region=region,
        bucket=bucket,
        artifacts=worker_artifacts(settings),
        worker={
            "pool": pool.name,
            "api": api_url,
            "podNetwork": settings.network.pod_network,
            "joinHook": JOIN_HOOK,
            "drainHook": DRAIN_HOOK,
            "perZone": pool.per_zone,
        },
    )
    return CloudConfig(
        # Each machine its own, which its metadata service has.
        hostname=None,
        write_files=(
            identity,
            *pool_host_files(),
            *node_units(PACKAGES["worker"], (KUBERNETES,)),
            *runtime_files(settings),
            *kubelet_files(settings, pool, max_pods),
            *kube_proxy_files(settings, api_url),
        ),
        runcmd=(
            ("systemctl", "restart", "systemd-modules-load.service"),
            *APPLY,
            ("systemctl", "enable", "--now", "--no-block", *_UNITS),
        ),
    )
