"""Cluster agent: the unit, on every API server of a stack with workers."""

from components.userdata.agent_archive import AGENT
from components.userdata.agent_units import PREPARED
from components.userdata.cloud_config import File
from components.userdata.sandbox import DAEMON, FOREVER
from components.userdata.systemd import unit
from node.contract import API_SERVER_UNIT, CLUSTER_AGENT_UNIT, KUBERNETES_USER


def cluster_agent_unit() -> File:
    """ha-cluster-agent.service; what it does is in `node/cluster/agent.py`."""
    wants, after = PREPARED["Wants"], PREPARED["After"]
    return unit(
        CLUSTER_AGENT_UNIT,
        {
            "Unit": {
                "Description": "What Kubernetes has for workers",
                "Wants": wants,
                "After": f"{after} {API_SERVER_UNIT}",
                **FOREVER,
            },
            "Service": {
                # It reads the key of its certificate, and writes no file.
                "User": KUBERNETES_USER,
                "ExecStart": f"/usr/bin/python3 {AGENT} cluster-agent",
                "Restart": "always",
                "RestartSec": "5s",
                # Workers that are there go on without it.
                "OOMScoreAdjust": 200,
                **DAEMON,
                # boto3's libraries may make code at run time (libffi).
                "MemoryDenyWriteExecute": False,
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )
