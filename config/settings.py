"""The whole of a stack's configuration as one frozen value."""

import re
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.api import ApiSettings, ControllerSettings
from config.etcd import EtcdSettings
from config.network import NetworkSettings
from config.quorum import Quorum
from config.types import Duration, Settings
from config.versions import KUBERNETES, Architecture, ArtifactName

MAX_CLUSTER_NAME = 20
"""Load balancer names cap at 32 characters: 20, `-api`, and Pulumi's 8 random ones."""


def _check_cluster_name(name: str) -> str:
    if len(name) > MAX_CLUSTER_NAME:
        raise ValueError(
            f"must have at most {MAX_CLUSTER_NAME} characters: load balancer names cap at 32"
        )
    if not re.fullmatch(r"[a-z]([a-z0-9-]*[a-z0-9])?", name):
        raise ValueError("must be a DNS label: lower-case letters, digits and inner hyphens")
    if name.startswith(("aws", "ssm")):
        raise ValueError("must not begin with aws or ssm: Parameter Store reserves these paths")
    return name


def _check_kubernetes_version(version: str) -> str:
    if version not in KUBERNETES.versions:
        raise ValueError(f"must be one of {', '.join(KUBERNETES.versions)} (config/versions.py)")
    return version


def _check_tags(tags: dict[str, str]) -> dict[str, str]:
    if len(tags) > 40:
        raise ValueError("must be at most 40 tags: AWS allows 50, and the program adds its own")
    for key, value in tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256:
            raise ValueError(
                f"must have keys of 1 to 128 and values of up to 256 characters, unlike {key!r}"
            )
        if key.lower().startswith("aws:") or key == "Name":
            raise ValueError(f"must not use the reserved key {key!r}")
    return tags


def _check_gate_timeout(timeout: timedelta) -> timedelta:
    if not timedelta(seconds=10) <= timeout <= timedelta(hours=24):
        raise ValueError("must be from 10s to 24h")
    return timeout


class PkiSettings(Settings):
    """`pki`: lifetimes of the certificates, and the epoch that reissues the leaves."""

    ca_years: Annotated[int, Field(ge=1, le=30)] = 10
    """Years that the three certificate authorities are valid."""
    leaf_days: Annotated[int, Field(ge=1, le=3650)] = 365
    """Days that a leaf certificate is valid."""
    epoch: Annotated[int, Field(ge=1)] = 1
    """Raise it to reissue every leaf, keys included, without touching an authority."""


PublicKey = Annotated[
    str, Field(pattern=r"^(ssh-ed25519|ecdsa-sha2-nistp256) [A-Za-z0-9+/]+=*( \S{1,40})?$")
]
"""An OpenSSH public key. RSA keys are longer than user data has room for."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ArtifactSettings(Settings):
    """`artifacts`: another place to download binaries from, and the sums of what it serves."""

    mirror: (
        Annotated[str, Field(pattern=r"^https://[^\s/]+(/[^\s]*[^/\s])?$", max_length=200)] | None
    ) = None
    """Base URL that stands in for the upstream hosts; the paths below it stay upstream's."""
    sha256: dict[ArtifactName, Sha256] = Field(default_factory=dict)
    """SHA-256 of artifacts that are not byte-equal to upstream's, by name."""


class ClusterSettings(Settings):
    """The configuration of one stack, checked as a whole; the only input of the program."""

    cluster_name: Annotated[str, AfterValidator(_check_cluster_name)]
    """Name of the cluster: a DNS label of at most 20 characters. The stack's name when left out."""
    kubernetes_version: Annotated[
        str,
        AfterValidator(_check_kubernetes_version),
        Field(json_schema_extra={"enum": list(KUBERNETES.versions)}),
    ] = KUBERNETES.default
    """Kubernetes version, one of `config/versions.py`."""
    network: NetworkSettings = NetworkSettings()
    """The VPC, its zones and its way out."""
    etcd: EtcdSettings = EtcdSettings()
    """The etcd tier."""
    api: ApiSettings = ApiSettings()
    """The API server tier and its balancer."""
    controllers: ControllerSettings = ControllerSettings()
    """Leader election of the controllers."""
    pki: PkiSettings = PkiSettings()
    """Certificate lifetimes."""
    ami: Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$")] | None = None
    """Machine image; the newest Debian 13 when left out, and then later images replace nothing."""
    architecture: Architecture = "amd64"
    """Processor architecture of the machines and the binaries."""
    operator_access: Literal["none", "instance-connect"] = "none"
    """SSH through an EC2 Instance Connect endpoint, or none at all."""
    operator_keys: Annotated[list[PublicKey], Field(max_length=5)] = Field(default_factory=list)
    """Public SSH keys of operators, at most five. They are user data: a change replaces the
    machines."""
    tags: Annotated[dict[str, str], AfterValidator(_check_tags)] = Field(default_factory=dict)
    """Tags of every resource that can have some."""
    protect: bool = True
    """Delete no machine, disk or target that the cluster cannot spare, and never the snapshots, the
    KMS key and the roots of trust."""
    gate_timeout: Annotated[Duration, AfterValidator(_check_gate_timeout)] = timedelta(minutes=15)
    """How long `pulumi up` waits until a node may go before it refuses; nodes report every 30 s."""
    artifacts: ArtifactSettings = ArtifactSettings()
    """Where the binaries come from."""

    @property
    def quorum(self) -> Quorum:
        """The quorum arithmetic of the configured size over the configured zones."""
        return Quorum(self.etcd.size, self.network.zone_count)

    def instance_type(self, chosen: str | None) -> str:
        """The chosen instance type, or the default of the architecture."""
        default = {"amd64": "m6i.large", "arm64": "m7g.large"}[self.architecture]
        return chosen or default
