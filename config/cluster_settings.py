"""The whole of a stack's configuration as one frozen value."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from config.api import ApiSettings, ControllerSettings
from config.artifacts import ArtifactSettings
from config.change import IN_PLACE, REFUSED, ROLLS_ALL, ROLLS_API, Change, Effect
from config.etcd import EtcdSettings
from config.eviction import EvictionSettings
from config.names import CLUSTER_NAME_PATTERN, check_cluster_name
from config.network import NetworkSettings
from config.public_keys import PublicKey, check_keys
from config.quorum import Quorum
from config.stack_tags import check_tags
from config.types import Duration, Settings, bounded, one_of
from config.versions import KUBERNETES, Architecture
from config.workers import MAX_POOLS, POOL_NAME_PATTERN, PoolName, WorkerPoolSettings

CERTIFICATE_ALARM_DAYS = 30
"""Days before the end of a certificate from which on its alarm rings (node_alarms.py)."""

MIN_LEAF_DAYS = 2 * CERTIFICATE_ALARM_DAYS
"""With less, the alarm of a new certificate would ring at once, or before anybody has the time to
reissue it."""


class PkiSettings(Settings):
    """`pki`: lifetimes of the certificates, and the epoch that reissues the leaves."""

    ca_years: Annotated[int, Field(ge=1, le=30), REFUSED] = 10
    """Years that the three CAs are valid."""
    leaf_days: Annotated[int, Field(ge=MIN_LEAF_DAYS, le=3650), IN_PLACE] = 365
    """Days that a leaf certificate is valid; fewer than the CAs are."""
    epoch: Annotated[int, Field(ge=1, le=1_000_000), IN_PLACE] = 1
    """Raise it to reissue every leaf, keys included, without touching a CA."""


class ClusterSettings(Settings):
    """The configuration of one stack, checked as a whole; the only input of the program."""

    cluster_name: Annotated[
        str,
        AfterValidator(check_cluster_name),
        Field(json_schema_extra={"pattern": CLUSTER_NAME_PATTERN}),
        REFUSED,
    ]
    """Name of the cluster: a DNS label of at most 20 characters. The stack's name when left out."""
    kubernetes_version: Annotated[
        str,
        AfterValidator(one_of(KUBERNETES.versions)),
        Field(json_schema_extra={"enum": list(KUBERNETES.versions)}),
        ROLLS_API,
    ] = KUBERNETES.default
    """Kubernetes version, one of `config/versions.py`."""
    network: NetworkSettings = NetworkSettings()
    """The VPC, its zones and its way out."""
    etcd: EtcdSettings = EtcdSettings()
    """The etcd tier."""
    api: ApiSettings = ApiSettings()
    """The API server tier and its load balancer."""
    controllers: ControllerSettings = ControllerSettings()
    """Leader election of the controllers."""
    workers: Annotated[
        dict[PoolName, WorkerPoolSettings],
        Field(
            max_length=MAX_POOLS,
            json_schema_extra={"propertyNames": {"pattern": POOL_NAME_PATTERN}},
        ),
        Change(
            Effect.ADDS_OR_REMOVES,
            "with the first pool and without the last the API tier rolls too",
        ),
    ] = Field(default_factory=dict)
    """Pools of workers by name, a DNS label of at most 15 characters; none when left out."""
    eviction: EvictionSettings = EvictionSettings()
    """How long pods of a worker that died wait until others take their place."""
    pki: PkiSettings = PkiSettings()
    """Certificate lifetimes."""
    ami: Annotated[Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$")] | None, ROLLS_ALL] = None
    """Machine image; the newest Debian 13 when left out, and then later images replace nothing."""
    architecture: Annotated[Architecture, REFUSED] = "amd64"
    """Processor architecture of the machines and the binaries."""
    operator_access: Annotated[Literal["none", "instance-connect"], IN_PLACE] = "none"
    """SSH through an EC2 Instance Connect endpoint, or none at all."""
    operator_keys: Annotated[
        list[PublicKey], Field(max_length=20), AfterValidator(check_keys), IN_PLACE
    ] = Field(default_factory=list)
    """Public SSH keys of operators, as OpenSSH writes them; the user is `admin`. Nodes follow the
    list within a minute."""
    tags: Annotated[
        dict[str, str],
        AfterValidator(check_tags),
        Change(Effect.IN_PLACE, "rolls every pool, whose launch template has them"),
    ] = Field(default_factory=dict)
    """Tags of every resource that can have some."""
    protect: Annotated[bool, IN_PLACE] = True
    """Delete no machine, disk or target that the cluster cannot spare, and never the snapshots, the
    KMS key and the roots of trust."""
    # A gate passes on a report that is newer than its question: shorter, it could never pass.
    gate_timeout: Annotated[Duration, bounded("45s", "24h"), IN_PLACE] = timedelta(minutes=15)
    """How long `pulumi up` waits until a node may go before it refuses; nodes report every 30 s."""
    artifacts: ArtifactSettings = ArtifactSettings()
    """Where binaries and images come from."""

    @property
    def quorum(self) -> Quorum:
        """The quorum arithmetic of the configured size over the configured zones."""
        return Quorum(self.etcd.size, self.network.zone_count)

    @property
    def pods_in_vpc(self) -> bool:
        """Whether pods have addresses of the VPC. Without pools the network is, as the workers are,
        somebody else's, who finds ranges of `network.podCidr` in Nodes."""
        return bool(self.workers) and self.network.pod_network == "vpc"

    def instance_type(self, chosen: str | None) -> str:
        """The chosen instance type, or the default of the architecture."""
        default = {"amd64": "m6i.large", "arm64": "m7g.large"}[self.architecture]
        return chosen or default
