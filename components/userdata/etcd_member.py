"""User data of an etcd member."""

from components.naming import EtcdMember
from components.userdata.agent_units import PREPARED, node_json, node_units
from components.userdata.artifact_sources import etcd_artifacts
from components.userdata.cloud_config import CloudConfig, File
from components.userdata.flags import command
from components.userdata.maintenance import TIMERS, maintenance_units
from components.userdata.operating_system import APPLY, host_files
from components.userdata.sandbox import DAEMON, FOREVER
from components.userdata.systemd import unit
from config import ClusterSettings
from config.image import PACKAGES
from node.contract import (
    AGENT_UNIT,
    BINARIES,
    CLUSTER_ENV,
    ETCD_CLIENT_PORT,
    ETCD_DATA,
    ETCD_METRICS_PORT,
    ETCD_MOUNT,
    ETCD_PKI,
    ETCD_UNIT,
    ETCD_USER,
    ETCD_WAL,
    PEER_COMMON_NAME,
)

_UNITS = (
    "node-packages.service",
    "node-agent.service",
    "node-prepare.service",
    ETCD_UNIT,
    AGENT_UNIT,
    *TIMERS,
)


def etcd_member(
    settings: ClusterSettings,
    member: EtcdMember,
    *,
    region: str,
    volume_id: str,
    bucket: str,
) -> CloudConfig:
    """The user data of a member. It names no other member: a size change must replace none.

    `bucket` is the cluster's, of the agent and of snapshots.
    """
    identity = node_json(
        settings,
        name=member.name,
        tier="etcd",
        region=region,
        bucket=bucket,
        artifacts=etcd_artifacts(settings),
        etcd={
            "address": str(member.address),
            "volumeId": volume_id,
            "snapshotBucket": bucket,
        },
    )
    return CloudConfig(
        hostname=member.name,
        write_files=(
            identity,
            *host_files(member.name, ETCD_USER, "etcd"),
            *node_units(
                PACKAGES["etcd"],
                (f"-{ETCD_PKI}", f"-{ETCD_MOUNT}"),
                # It has the file system grow with the data volume.
                capability="CAP_SYS_RESOURCE",
            ),
            etcd_unit(settings, member),
            *maintenance_units(),
        ),
        # --no-block: etcd is ready only once a quorum is there, and cloud-init must not wait.
        runcmd=(*APPLY, ("systemctl", "enable", "--now", "--no-block", *_UNITS)),
    )


def etcd_unit(settings: ClusterSettings, member: EtcdMember) -> File:
    """etcd.service."""
    return unit(
        ETCD_UNIT,
        {
            "Unit": {
                "Description": "etcd",
                "Wants": PREPARED["Wants"],
                # The mount, so that a shutdown ends etcd before it takes the disk away.
                "After": f"{PREPARED['After']} var-lib-etcd.mount",
                **FOREVER,
                # Never on the root disk, should the volume be missing.
                "ConditionPathIsMountPoint": ETCD_MOUNT,
                # An empty disk waits for `reconcile`, which knows whether a cluster was ever
                # formed; with an initialised one no peer and no AWS has to be asked.
                "ConditionPathExistsGlob": f"|{ETCD_WAL}/*.wal",
                "ConditionPathExists": f"|{CLUSTER_ENV}",
            },
            "Service": {
                "Type": "notify",
                "User": ETCD_USER,
                "EnvironmentFile": f"-{CLUSTER_ENV}",
                "ExecStart": command(f"{BINARIES}/etcd", etcd_flags(settings, member)),
                # Ready means that there is a leader: without a quorum a healthy member would
                # be killed for being late.
                "TimeoutStartSec": "infinity",
                "TimeoutStopSec": "60s",
                # A member that was removed ends with 0, and must stay down. It may do so before it
                # was ever ready, which systemd alone takes for a failure.
                "Restart": "on-failure",
                "RestartPreventExitStatus": 0,
                "RestartSec": "2s",
                "OOMScoreAdjust": -900,
                "LimitNOFILE": 65536,
                # A heartbeat or an fsync that comes late costs an election (etcd tuning guide).
                "Nice": -10,
                "IOSchedulingClass": "best-effort",
                "IOSchedulingPriority": 0,
                **DAEMON,
                "ReadWritePaths": ETCD_MOUNT,
            },
            "Install": {"WantedBy": "multi-user.target"},
        },
    )


def etcd_flags(settings: ClusterSettings, member: EtcdMember) -> dict[str, str | int | bool]:
    """Flags that mean the same in etcd 3.6 and 3.7; initial cluster flags come by environment."""
    etcd = settings.etcd
    return {
        "name": member.name,
        "data-dir": ETCD_DATA,
        "listen-peer-urls": member.peer_url,
        "initial-advertise-peer-urls": member.peer_url,
        "listen-client-urls": f"{member.client_url},https://127.0.0.1:{ETCD_CLIENT_PORT}",
        "advertise-client-urls": member.client_url,
        "listen-metrics-urls": f"http://{member.address}:{ETCD_METRICS_PORT}",
        "cert-file": f"{ETCD_PKI}/server.crt",
        "key-file": f"{ETCD_PKI}/server.key",
        "trusted-ca-file": f"{ETCD_PKI}/ca.crt",
        "client-cert-auth": True,
        "peer-cert-file": f"{ETCD_PKI}/peer.crt",
        "peer-key-file": f"{ETCD_PKI}/peer.key",
        "peer-trusted-ca-file": f"{ETCD_PKI}/ca.crt",
        "peer-client-cert-auth": True,
        # API servers hold certificates of the same CA.
        "peer-cert-allowed-cn": PEER_COMMON_NAME,
        "tls-min-version": "TLS1.2",
        "heartbeat-interval": etcd.heartbeat_ms,
        "election-timeout": etcd.election_ms,
        "quota-backend-bytes": etcd.quota_gib * 1024**3,
        # kube-apiserver compacts every five minutes.
        "auto-compaction-retention": 0,
        "snapshot-count": 10000,
        "watch-progress-notify-interval": "5s",
        # Off by default even in 3.7: a member whose data differs must not serve it.
        "feature-gates": "CompactHashCheck=true,InitialCorruptCheck=true",
    }
