"""Settings of this node, read from /etc/ha-kubernetes/node.json, and where its files are.

The document (no secrets), as cloud-init writes it:

    cluster     name of the cluster
    name        name of this node: etcd-0, api-2
    tier        "etcd", "api" or "worker"
    region      AWS region
    parameters  {"files", "status", "members", "formation", "operations"}: full Parameter Store
                names, "files" the path under which this node's files are; on an API server of a
                cluster with workers also {"joinToken", "cluster"}; on a worker {"operations",
                "joinToken", "ca"}
    artifacts   [{"url", "sha256", "kind", "binaries"}]: upstream's https URL, for which a mirror
                may stand in, checksum of what is served, kind "binary" (one entry in binaries) or
                "tar.gz" (members whose last path component is in binaries); every binary is
                installed in "directory", /usr/local/bin where there is none
    etcd        etcd tier only: {"address", "volumeId", "snapshotBucket"}: fixed IPv4 address,
                vol-0123..., name of the bucket that snapshots go to
    worker      workers only: {"pool", "api", "podNetwork", "joinHook", "drainHook", "perZone"}:
                name of the pool, https URL of the load balancer, "vpc" or "none", names of the
                lifecycle hooks, whether the pool has a group in each zone (false where there is
                none)

The name of a worker is that of its pool's resources, `<cluster>-workers-<pool>`: all machines of a
pool have one user data. What tells them apart is in node.env (`node/worker/identity.py`).
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from node.contract import (
    BINARIES,
    ETCD_MOUNT,
    ETCD_PKI,
    ETCD_USER,
    KUBERNETES_PKI,
    KUBERNETES_USER,
    NODE_JSON,
)
from node.errors import NodeError

CA_OF: Mapping[str, Mapping[str, str]] = {
    "etcd": {"server": "ca.crt", "peer": "ca.crt"},
    "api": {
        "apiserver": "ca.crt",
        "apiserver-etcd-client": "etcd-ca.crt",
        "apiserver-kubelet-client": "ca.crt",
        "front-proxy-client": "front-proxy-ca.crt",
        "controller-manager": "ca.crt",
        "scheduler": "ca.crt",
    },
    "worker": {},
}
"""The leaves of a tier, files `<leaf>.crt` and `<leaf>.key`, each with the file of its CA."""

CLUSTER_AGENT = "cluster-agent"
"""Leaf of an API server's cluster agent, of `ca.crt`: only of a cluster that has workers."""


def _leaf_files(*leaves: str) -> Iterator[str]:
    for leaf in leaves:
        yield from (f"{leaf}.crt", f"{leaf}.key")


FILES = {
    "etcd": ("ca.crt", *_leaf_files(*CA_OF["etcd"])),
    "api": (
        "ca.crt",
        "ca.key",
        "etcd-ca.crt",
        "front-proxy-ca.crt",
        "sa.pub",
        "sa.key",
        "encryption.yaml",
        *_leaf_files(*CA_OF["api"]),
    ),
    "worker": ("ca.crt",),
}
"""The files without which a tier's daemons do not start, in a cluster without workers."""

PKI = {"etcd": ETCD_PKI, "api": KUBERNETES_PKI, "worker": KUBERNETES_PKI}
OWNER = {"etcd": ETCD_USER, "api": KUBERNETES_USER, "worker": "root"}

TOKEN = f"{ETCD_MOUNT}/token"
"""Cluster token of the data: that of the marker that it was founded or joined under."""


@dataclass(frozen=True)
class Artifact:
    """A download and the binaries that it holds."""

    url: str
    sha256: str
    kind: Literal["binary", "tar.gz"]
    binaries: Sequence[str]
    directory: str = BINARIES
    """Where they are installed."""


@dataclass(frozen=True)
class EtcdSettings:
    """What only an etcd member has."""

    address: str
    volume_id: str
    snapshot_bucket: str

    @property
    def device(self) -> str:
        """The data volume's device: Nitro names devices in the order of attachment, ids stay."""
        return f"/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{self.volume_id.replace('-', '')}"


@dataclass(frozen=True)
class WorkerSettings:
    """What only a worker has."""

    pool: str
    api: str
    """https URL of the load balancer of the API servers."""
    pod_network: Literal["vpc", "none"]
    join_hook: str
    drain_hook: str
    per_zone: bool = False

    def group(self, name: str, zone: str) -> str:
        """Name of the Auto Scaling group of an instance of this pool."""
        return f"{name}-{zone}" if self.per_zone else name


@dataclass(frozen=True)
class Settings:
    """This node."""

    cluster: str
    name: str
    tier: str
    region: str
    parameters: Mapping[str, str]
    artifacts: tuple[Artifact, ...]
    etcd: EtcdSettings | None
    worker: WorkerSettings | None = None

    @property
    def pki(self) -> Path:
        """The directory of this node's certificates and keys."""
        return at(PKI[self.tier])

    @property
    def ca_of(self) -> Mapping[str, str]:
        """The leaves of this node, each with the file of its CA."""
        leaves = CA_OF[self.tier]
        return {**leaves, CLUSTER_AGENT: "ca.crt"} if self._has_cluster_agent else leaves

    @property
    def files(self) -> tuple[str, ...]:
        """The files without which this node's daemons do not start."""
        more = _leaf_files(CLUSTER_AGENT) if self._has_cluster_agent else ()
        return (*FILES[self.tier], *more)

    @property
    def _has_cluster_agent(self) -> bool:
        return self.tier == "api" and "joinToken" in self.parameters

    def status_of(self, node: str) -> str:
        """The parameter that a node reports in."""
        nodes = self.parameters["status"].removesuffix(f"{self.name}/status")
        return f"{nodes}{node}/status"


def at(path: str) -> Path:
    """A path of the node; under HA_NODE_ROOT where that is set."""
    return Path(os.environ.get("HA_NODE_ROOT", "") + path)


def load() -> Settings:
    """Read the settings; NodeError when the document is missing or not as described above."""
    path = at(NODE_JSON)
    try:
        return parse(json.loads(path.read_text()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NodeError(f"{path} is missing or damaged ({error!r}); replace this node") from error


def parse(document: dict[str, Any]) -> Settings:
    """The settings in a document; KeyError or TypeError when one is missing."""
    tier = document["tier"]
    etcd = document["etcd"] if tier == "etcd" else None
    worker = document["worker"] if tier == "worker" else None
    return Settings(
        cluster=document["cluster"],
        name=document["name"],
        tier=tier,
        region=document["region"],
        parameters=document["parameters"],
        artifacts=tuple(Artifact(**artifact) for artifact in document["artifacts"]),
        etcd=etcd and EtcdSettings(etcd["address"], etcd["volumeId"], etcd["snapshotBucket"]),
        worker=worker
        and WorkerSettings(
            worker["pool"],
            worker["api"],
            worker["podNetwork"],
            worker["joinHook"],
            worker["drainHook"],
            worker.get("perZone", False),
        ),
    )
