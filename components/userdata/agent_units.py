"""Units that run the node agent, and the document that tells it which node it is on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Literal

from components.naming import ParameterPaths
from components.userdata.agent_archive import AGENT, agent_archive
from components.userdata.agent_fetcher import agent_fetcher
from components.userdata.cloud_config import File
from components.userdata.sandbox import FILE_SYSTEM, FOREVER, NO_MOUNT_NAMESPACE
from components.userdata.systemd import Setting, unit
from config import ClusterSettings
from node.contract import (
    AGENT_UNIT,
    BINARIES,
    CACHE,
    CONFIGURATION,
    LIBRARY,
    NODE_COMMAND,
    NODE_JSON,
    RUNTIME,
)
from node.settings import Artifact

Tier = Literal["etcd", "api", "worker"]

INSTALL_PACKAGES = f"{LIBRARY}/install-packages"

PREPARED: dict[str, Setting] = {
    "Wants": "network-online.target node-prepare.service",
    "After": "network-online.target node-prepare.service",
}
"""For [Unit] of what needs the node prepared. `Requires` would give up for good when the first
attempt fails; with `Wants` both go on trying, each at its own pace."""


def node_json(
    settings: ClusterSettings,
    *,
    name: str,
    tier: Tier,
    region: str,
    bucket: str,
    artifacts: Sequence[Artifact],
    etcd: Mapping[str, object] | None = None,
    worker: Mapping[str, object] | None = None,
) -> File:
    """Which node this is; the agent reads it in `node/settings.py`.

    `bucket` is the cluster's, which holds the agent; `etcd` and `worker` are what only a node of
    that tier has.
    """
    wanted = agent_archive()
    document: dict[str, object] = {
        "cluster": settings.cluster_name,
        "name": name,
        "tier": tier,
        "region": region,
        "parameters": _parameters(settings, name, tier),
        "agent": {"bucket": bucket, "key": wanted.key, "sha256": wanted.sha256},
        "artifacts": [_artifact(artifact) for artifact in artifacts],
    }
    if etcd is not None:
        document["etcd"] = dict(etcd)
    if worker is not None:
        document["worker"] = dict(worker)
    return File(NODE_JSON, json.dumps(document, indent=1) + "\n")


def _parameters(settings: ClusterSettings, name: str, tier: Tier) -> dict[str, str]:
    """Where a node reads and reports, by what it calls it."""
    paths = ParameterPaths(settings.cluster_name)
    if tier == "worker":
        return {
            "operations": paths.operations,
            "joinToken": paths.join_token,
            "ca": paths.worker_ca,
        }
    parameters = {
        "files": paths.secrets(name),
        "status": paths.status(name),
        "members": paths.desired_members,
        "formation": paths.formation,
        "operations": paths.operations,
    }
    if tier == "api" and settings.workers:
        parameters |= {"joinToken": paths.join_token, "cluster": paths.cluster_addons}
    return parameters


def _artifact(artifact: Artifact) -> dict[str, object]:
    """An artifact as the agent reads it, which knows where binaries go unless it is told."""
    values = asdict(artifact)
    if artifact.directory == BINARIES:
        del values["directory"]
    return values


def node_units(
    packages: Sequence[str], writable: Sequence[str], *, capability: str = ""
) -> tuple[File, ...]:
    """Packages, the agent's code, `prepare`, then the agent.

    `writable` are the paths that `reconcile` changes besides its own configuration, `capability` is
    one that it needs besides those of every command.
    """
    return (
        _packages(packages),
        *agent_fetcher(),
        _prepare(),
        _agent(writable, capability),
        File.script(INSTALL_PACKAGES, "install-packages"),
        File.script(NODE_COMMAND, "ha-node"),
    )


def _packages(packages: Sequence[str]) -> File:
    return unit(
        "node-packages.service",
        {
            "Unit": {
                "Description": "Packages that the image lacks",
                "Wants": "network-online.target",
                "After": "network-online.target",
                **FOREVER,
            },
            # Hardly a sandbox: a package's scripts may write anywhere, add users, start services.
            "Service": {
                "Type": "oneshot",
                "RemainAfterExit": True,
                "ExecStart": " ".join((INSTALL_PACKAGES, *packages)),
                "TimeoutStartSec": "15min",
                "Restart": "on-failure",
                "RestartSec": "10s",
                "LockPersonality": True,
                "RestrictRealtime": True,
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


def _prepare() -> File:
    return unit(
        "node-prepare.service",
        {
            "Unit": {
                "Description": "Certificates, binaries and disk of this node",
                "Wants": "network-online.target node-agent.service",
                "After": "network-online.target node-agent.service",
                **FOREVER,
            },
            "Service": {
                "Type": "oneshot",
                "RemainAfterExit": True,
                "ExecStart": f"/usr/bin/python3 {AGENT} prepare",
                # Longer than any wait inside; then the next attempt begins with what is there.
                "TimeoutStartSec": "15min",
                "Restart": "on-failure",
                "RestartSec": "5s",
                "RuntimeDirectory": _RUNTIME_DIRECTORY,
                "RuntimeDirectoryPreserve": True,
                # It mounts the data volume, and a mount made in a namespace of its own would
                # be invisible to etcd: hence nothing that makes one, ProtectSystem included.
                **NO_MOUNT_NAMESPACE,
                "CapabilityBoundingSet": (
                    "CAP_SYS_ADMIN CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID"
                ),
                # It gives an API server a hostname of its own.
                "SystemCallFilter": ["@system-service", "@mount sethostname"],
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


_RUNTIME_DIRECTORY = RUNTIME.removeprefix("/run/")
_CAPABILITIES = "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER"


def _agent(writable: Sequence[str], capability: str) -> File:
    """The service of the agent itself, which runs `reconcile` and `report`."""
    return unit(
        AGENT_UNIT,
        {
            "Unit": {"Description": "Node agent", **PREPARED, **FOREVER},
            "Service": {
                "Type": "exec",
                "ExecStart": f"/usr/bin/python3 {AGENT} run",
                "Restart": "always",
                "RestartSec": "5s",
                **_command_settings((CONFIGURATION, *writable), capability),
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


def node_command(
    command: str, timeout: str, *, after: str, more: Mapping[str, Setting] = {}
) -> File:
    """The service that runs a command once, for its timer; `more` are settings of its own."""
    return unit(
        f"node-{command}.service",
        {
            "Unit": {
                "Description": f"ha-node {command}",
                **PREPARED,
                "After": f"{PREPARED['After']} {after}",
            },
            "Service": {
                "Type": "oneshot",
                "ExecStart": f"/usr/bin/python3 {AGENT} {command}",
                "TimeoutStartSec": timeout,
                **_command_settings(),
                **more,
            },
        },
    )


def _command_settings(writable: Sequence[str] = (), capability: str = "") -> dict[str, Setting]:
    """Settings of a service that runs commands which read the node's keys."""
    return {
        "RuntimeDirectory": _RUNTIME_DIRECTORY,
        "RuntimeDirectoryPreserve": True,
        "CacheDirectory": CACHE.removeprefix("/var/cache/"),
        "CacheDirectoryMode": "0700",
        **NO_MOUNT_NAMESPACE,
        **FILE_SYSTEM,
        **({"ReadWritePaths": " ".join(writable)} if writable else {}),
        # It is root: it reads the daemons' keys, and gives them the files it writes.
        "CapabilityBoundingSet": f"{_CAPABILITIES} {capability}".strip(),
        "SystemCallFilter": ["@system-service"],
    }
