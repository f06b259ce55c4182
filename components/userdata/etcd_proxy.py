"""HAProxy on an API server, through which kube-apiserver reaches etcd."""

from components.userdata.agent_archive import AGENT
from components.userdata.agent_units import PREPARED
from components.userdata.cloud_config import File
from components.userdata.sandbox import DAEMON, FOREVER
from components.userdata.systemd import unit
from node.contract import (
    KUBERNETES_USER,
    LEADER_WATCH_UNIT,
    PROXY_CONFIG,
    PROXY_RUNTIME,
    PROXY_UNIT,
)

_GROUP = "haproxy"
"""Whose members may give HAProxy commands."""


def etcd_proxy_units() -> tuple[File, ...]:
    """The proxy, and what ends its connections to members that have lost their leader."""
    return (_proxy(), _leader_watch())


def _proxy() -> File:
    """Its configuration follows the membership and is written on the node."""
    return unit(
        PROXY_UNIT,
        {
            "Unit": {
                "Description": "Proxy to etcd",
                **PREPARED,
                **FOREVER,
                # The first time `reconcile` writes it, and starts this unit.
                "ConditionPathExists": PROXY_CONFIG,
            },
            "Service": {
                "Type": "notify",
                "User": "haproxy",
                "ExecStart": f"/usr/sbin/haproxy -Ws -f {PROXY_CONFIG}",
                # Its servers change through a socket here, without a reload: node/api/haproxy.py.
                "RuntimeDirectory": PROXY_RUNTIME.removeprefix("/run/"),
                "RuntimeDirectoryMode": "0750",
                # A broken configuration must not take down a proxy that works.
                "ExecReload": [
                    f"/usr/sbin/haproxy -c -q -f {PROXY_CONFIG}",
                    "/bin/kill -USR2 $MAINPID",
                ],
                "KillMode": "mixed",
                # 143: the master was asked to stop.
                "SuccessExitStatus": 143,
                "TimeoutStopSec": "15s",
                "Restart": "always",
                "RestartSec": "1s",
                # Without it the API server is cut off from etcd.
                "OOMScoreAdjust": -900,
                "LimitNOFILE": 65536,
                **DAEMON,
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


def _leader_watch() -> File:
    return unit(
        LEADER_WATCH_UNIT,
        {
            "Unit": {
                "Description": "Leader of etcd, as the proxy's members know it",
                **PREPARED,
                **FOREVER,
            },
            "Service": {
                # It asks members as the API server does, with its certificate.
                "User": KUBERNETES_USER,
                "SupplementaryGroups": _GROUP,
                "ExecStart": f"/usr/bin/python3 {AGENT} watch-leader",
                "Restart": "always",
                "RestartSec": "1s",
                **DAEMON,
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )
