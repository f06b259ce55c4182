"""Names of nodes and parameters, from the configuration alone, before any resource exists."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from components.network.addressing import etcd_cidrs, member_address
from components.network.placement import Placement, api_server_names, member_names
from config import ClusterSettings
from node.contract import ETCD_CLIENT_PORT, ETCD_PEER_PORT

AGENT_PREFIX = "agent/"
"""Where versions of the node agent lie in the cluster's bucket."""


@dataclass(frozen=True, order=True)
class EtcdMember:
    """An etcd member: its name, its zone and its fixed address."""

    name: str
    zone: str
    address: IPv4Address

    @property
    def client_url(self) -> str:
        """Where API servers reach it."""
        return f"https://{self.address}:{ETCD_CLIENT_PORT}"

    @property
    def peer_url(self) -> str:
        """Where the other members reach it."""
        return f"https://{self.address}:{ETCD_PEER_PORT}"


@dataclass(frozen=True, order=True)
class ApiServer:
    """An API server VM: its name and its zone. Its address is the subnet's to choose."""

    name: str
    zone: str


def etcd_members(settings: ClusterSettings, placement: Placement) -> tuple[EtcdMember, ...]:
    """The members of the configured size, where the placement has them.

    An address depends on the member's number and its zone's slot only: a larger tier begins with
    the smaller one.
    """
    cidrs = etcd_cidrs(settings.network, placement.slots)
    members = []
    for number, name in enumerate(member_names(settings)):
        zone = placement.nodes[name]
        members.append(EtcdMember(name, zone, member_address(cidrs[zone], number)))
    return tuple(members)


def api_servers(settings: ClusterSettings, placement: Placement) -> tuple[ApiServer, ...]:
    """The API servers of the configured size, where the placement has them."""
    return tuple(ApiServer(name, placement.nodes[name]) for name in api_server_names(settings))


REFRESH_PERCENT = 10
"""Part of a group that it replaces at a time, at least one machine."""


@dataclass(frozen=True, order=True)
class WorkerGroup:
    """An Auto Scaling group of a pool: its resource name, its zones and its sizes."""

    name: str
    zones: tuple[str, ...]
    fewest: int
    most: int

    @property
    def most_in_refresh(self) -> int:
        """Most machines while it replaces them: successors start before the old ones end."""
        return self.most and self.most + max(1, -(-self.most * REFRESH_PERCENT // 100))


@dataclass(frozen=True, order=True)
class WorkerPool:
    """A pool of workers: its name, and the zones that it spans."""

    name: str
    zones: tuple[str, ...]
    per_zone: bool = False
    """A group in each zone, rather than one over all."""

    def resource_name(self, cluster: str) -> str:
        """Name of the pool's resources, and of its machines."""
        return f"{cluster}-workers-{self.name}"

    def groups(self, cluster: str) -> dict[str, tuple[str, ...]]:
        """The zones of each Auto Scaling group, by the group's name."""
        name = self.resource_name(cluster)
        if not self.per_zone:
            return {name: self.zones}
        return {f"{name}-{zone}": (zone,) for zone in self.zones}


def worker_groups(settings: ClusterSettings, pool: WorkerPool) -> tuple[WorkerGroup, ...]:
    """The Auto Scaling groups of a pool, with its sizes divided among them: the first ones get what
    is left over."""
    sizes = settings.workers[pool.name]
    groups = pool.groups(settings.cluster_name)
    return tuple(
        WorkerGroup(name, zones, fewest, most)
        for (name, zones), fewest, most in zip(
            groups.items(),
            _divided(sizes.min, len(groups)),
            _divided(sizes.most, len(groups)),
            strict=True,
        )
    )


def _divided(machines: int, groups: int) -> list[int]:
    each, left = divmod(machines, groups)
    return [each + (number < left) for number in range(groups)]


def worker_pools(settings: ClusterSettings, placement: Placement) -> tuple[WorkerPool, ...]:
    """The pools of the configuration by name, each over all zones of the placement."""
    return tuple(
        WorkerPool(name, placement.zones, settings.workers[name].per_zone)
        for name in sorted(settings.workers)
    )


@dataclass(frozen=True)
class ParameterPaths:
    """Where a cluster's parameters live in Parameter Store."""

    cluster: str

    @property
    def desired_members(self) -> str:
        """The membership that `pulumi up` wants; nodes reconcile towards it."""
        return f"/{self.cluster}/etcd/members"

    @property
    def formation(self) -> str:
        """The marker: the founding members, and whether they ever formed the cluster."""
        return f"/{self.cluster}/etcd/formation"

    @property
    def operations(self) -> str:
        """What nodes read while they run, so that a change of it replaces none."""
        return f"/{self.cluster}/operations"

    @property
    def workers(self) -> str:
        """What workers of every pool read: they share it, since no worker is known by name."""
        return f"/{self.cluster}/workers"

    @property
    def join_token(self) -> str:
        """The bootstrap token of today, made and renewed by the control plane, never by Pulumi."""
        return f"{self.workers}/join-token"

    @property
    def worker_ca(self) -> str:
        """Certificate of the CA that workers know the API servers by."""
        return f"{self.workers}/ca"

    @property
    def cluster_addons(self) -> str:
        """What the control plane itself applies to Kubernetes."""
        return f"/{self.cluster}/cluster"

    @property
    def record(self) -> str:
        """Everything that was chosen once and stays chosen (record.py)."""
        return f"/{self.cluster}/record"

    def recorded(self, entry: str) -> str:
        """One entry of the record: of the cluster as a whole, or of the node of this name."""
        return f"{self.record}/{entry}"

    def node(self, name: str) -> str:
        """Everything that belongs to one node; its role may read no other node's."""
        return f"/{self.cluster}/nodes/{name}"

    def secrets(self, name: str) -> str:
        """The files of one node, a SecureString each, named as the files are."""
        return f"{self.node(name)}/files"

    def status(self, name: str) -> str:
        """What a node last reported of itself."""
        return f"{self.node(name)}/status"
