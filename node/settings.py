"""Settings of this node, read from /etc/ha-kubernetes/node.json, and where its files are.

The document (no secrets), as cloud-init writes it:

    cluster     name of the cluster
    name        name of this node: etcd-0, api-2
    tier        "etcd" or "api"
    region      AWS region
    parameters  {"files", "status", "members", "formation", "operations"}: full Parameter Store
                names, "files" the path under which this node's files are
    artifacts   [{"url", "sha256", "kind", "binaries"}]: upstream's https URL, for which a mirror
                may stand in, checksum of what is served, kind "binary" (one entry in binaries) or
                "tar.gz" (members whose last path component is in binaries); every binary is
                installed in /usr/local/bin
    etcd        etcd tier only: {"address", "volumeId", "snapshotBucket"}: fixed IPv4 address,
                vol-0123..., name of the bucket that snapshots go to
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
}
"""The leaves of a tier, files `<leaf>.crt` and `<leaf>.key`, each with the file of its CA."""


def _leaf_files(tier: str) -> Iterator[str]:
    for leaf in CA_OF[tier]:
        yield from (f"{leaf}.crt", f"{leaf}.key")


FILES = {
    "etcd": ("ca.crt", *_leaf_files("etcd")),
    "api": (
        "ca.crt",
        "ca.key",
        "etcd-ca.crt",
        "front-proxy-ca.crt",
        "sa.pub",
        "sa.key",
        "encryption.yaml",
        *_leaf_files("api"),
    ),
}
"""The files without which a tier's daemons do not start."""

PKI = {"etcd": ETCD_PKI, "api": KUBERNETES_PKI}
OWNER = {"etcd": ETCD_USER, "api": KUBERNETES_USER}

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
class Settings:
    """This node."""

    cluster: str
    name: str
    tier: str
    region: str
    parameters: Mapping[str, str]
    artifacts: tuple[Artifact, ...]
    etcd: EtcdSettings | None

    @property
    def pki(self) -> Path:
        """The directory of this node's certificates and keys."""
        return at(PKI[self.tier])

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
    return Settings(
        cluster=document["cluster"],
        name=document["name"],
        tier=tier,
        region=document["region"],
        parameters=document["parameters"],
        artifacts=tuple(Artifact(**artifact) for artifact in document["artifacts"]),
        etcd=etcd and EtcdSettings(etcd["address"], etcd["volumeId"], etcd["snapshotBucket"]),
    )
