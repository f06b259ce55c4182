"""Watchdog of kube-apiserver: ends one that no longer lives, as a kubelet would."""

from components.userdata.agent_archive import AGENT
from components.userdata.agent_units import PREPARED
from components.userdata.cloud_config import File
from components.userdata.sandbox import FILE_SYSTEM, FOREVER, NO_MOUNT_NAMESPACE
from components.userdata.systemd import unit

LIVENESS_UNIT = "kube-apiserver-liveness.service"


def liveness_unit() -> File:
    """Its service; the checks are the agent's (`node/api/liveness.py`)."""
    return unit(
        LIVENESS_UNIT,
        {
            "Unit": {"Description": "Liveness of the API server", **PREPARED, **FOREVER},
            "Service": {
                "Type": "exec",
                "ExecStart": f"/usr/bin/python3 {AGENT} liveness",
                "Restart": "always",
                "RestartSec": "5s",
                **NO_MOUNT_NAMESPACE,
                **FILE_SYSTEM,
                "MemoryDenyWriteExecute": True,
                "CapabilityBoundingSet": "",
                "SystemCallFilter": ["@system-service", "~@privileged @resources"],
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )
