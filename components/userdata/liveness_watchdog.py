"""Watchdog of kube-apiserver: ends one that no longer lives, as a kubelet would."""

from components.userdata.agent_archive import AGENT
from components.userdata.agent_units import PREPARED
from components.userdata.cloud_config import File
from components.userdata.sandbox import FILE_SYSTEM, NO_MOUNT_NAMESPACE
from components.userdata.systemd import unit


def liveness_files() -> tuple[File, ...]:
    """Its service and its timer; the check is the agent's (`node/api/liveness.py`)."""
    return (_service(), _timer())


def _service() -> File:
    return unit(
        "kube-apiserver-liveness.service",
        {
            "Unit": {"Description": "Liveness of the API server", **PREPARED},
            "Service": {
                "Type": "oneshot",
                "ExecStart": f"/usr/bin/python3 {AGENT} liveness",
                "TimeoutStartSec": "120s",
                **NO_MOUNT_NAMESPACE,
                **FILE_SYSTEM,
                "MemoryDenyWriteExecute": True,
                "CapabilityBoundingSet": "",
                "SystemCallFilter": ["@system-service", "~@privileged @resources"],
                # Each success would be three lines in the journal, four times a minute.
                "LogLevelMax": "notice",
            },
        },
    )


def _timer() -> File:
    return unit(
        "kube-apiserver-liveness.timer",
        {
            "Unit": {"Description": "Liveness of the API server every 15 s"},
            "Timer": {"OnActiveSec": "15s", "OnUnitInactiveSec": "15s", "AccuracySec": "1s"},
            "Install": {"WantedBy": "timers.target"},
        },
    )
