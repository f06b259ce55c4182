"""Unit that brings the node agent onto the machine, and the script that it runs."""

from components.userdata.cloud_config import File
from components.userdata.sandbox import FILE_SYSTEM, FOREVER, NO_MOUNT_NAMESPACE
from components.userdata.systemd import unit
from node.contract import LIBRARY

FETCH_AGENT = f"{LIBRARY}/fetch-agent"


def agent_fetcher() -> tuple[File, ...]:
    """node-agent.service, after the packages: the script needs python3-boto3."""
    return (
        unit(
            "node-agent.service",
            {
                "Unit": {
                    "Description": "Node agent",
                    "Wants": "network-online.target node-packages.service",
                    "After": "network-online.target node-packages.service",
                    **FOREVER,
                },
                "Service": {
                    "Type": "oneshot",
                    "RemainAfterExit": True,
                    "ExecStart": FETCH_AGENT,
                    # Longer than all its attempts together; then it begins again.
                    "TimeoutStartSec": "5min",
                    "Restart": "on-failure",
                    "RestartSec": "5s",
                    **NO_MOUNT_NAMESPACE,
                    **FILE_SYSTEM,
                    "ReadWritePaths": LIBRARY,
                    "CapabilityBoundingSet": "",
                    "SystemCallFilter": ["@system-service"],
                },
                "Install": {"WantedBy": "multi-user.target"},
            },
        ),
        File.script(FETCH_AGENT, "fetch_agent.py"),
    )
