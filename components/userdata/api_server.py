"""User data of an API server VM."""

from components.naming import ApiServer
from components.userdata.agent_units import node_json, node_units
from components.userdata.artifact_sources import api_artifacts
from components.userdata.audit import audit_policy
from components.userdata.authentication import authentication_config
from components.userdata.cloud_config import CloudConfig
from components.userdata.cluster_agent import cluster_agent_unit
from components.userdata.controllers import controller_files
from components.userdata.etcd_proxy import etcd_proxy_units
from components.userdata.kube_apiserver import kube_apiserver_unit
from components.userdata.liveness_watchdog import LIVENESS_UNIT, liveness_unit
from components.userdata.operating_system import APPLY, host_files
from config import ClusterSettings
from config.image import PACKAGES
from node.contract import (
    AGENT_UNIT,
    API_SERVER_UNIT,
    CLUSTER_AGENT_UNIT,
    KUBERNETES,
    KUBERNETES_USER,
    LEADER_WATCH_UNIT,
    PROXY_UNIT,
)

_UNITS = (
    "node-packages.service",
    "node-agent.service",
    "node-prepare.service",
    PROXY_UNIT,
    LEADER_WATCH_UNIT,
    API_SERVER_UNIT,
    "kube-controller-manager.service",
    "kube-scheduler.service",
    AGENT_UNIT,
    LIVENESS_UNIT,
)


def api_server(
    settings: ClusterSettings, node: ApiServer, *, region: str, bucket: str
) -> CloudConfig:
    """The user data of an API server VM. It names no etcd member: the proxy follows them.

    `bucket` is the cluster's, which holds the agent.
    """
    identity = node_json(
        settings,
        name=node.name,
        tier="api",
        region=region,
        bucket=bucket,
        artifacts=api_artifacts(settings),
    )
    return CloudConfig(
        hostname=node.name,
        write_files=(
            identity,
            *host_files(node.name, KUBERNETES_USER, "Kubernetes control plane"),
            *node_units(PACKAGES["api"], (KUBERNETES,)),
            *etcd_proxy_units(),
            kube_apiserver_unit(settings),
            authentication_config(),
            audit_policy(),
            *controller_files(settings),
            liveness_unit(),
            *((cluster_agent_unit(),) if settings.workers else ()),
        ),
        runcmd=(
            *APPLY,
            # The package would start a proxy of its own, with nothing to do.
            ("systemctl", "mask", "haproxy.service"),
            (
                *("systemctl", "enable", "--now", "--no-block"),
                *_UNITS,
                *((CLUSTER_AGENT_UNIT,) if settings.workers else ()),
            ),
        ),
    )
