"""Names of nodes and parameters, from the configuration alone, before any resource exists."""

from dataclasses import dataclass
from ipaddress import IPv4Address

from components.addressing import etcd_cidrs, member_address
from config import ClusterSettings

ETCD_CLIENT_PORT = 2379
ETCD_PEER_PORT = 2380
ETCD_METRICS_PORT = 2381
API_PORT = 6443

PROGRAM_PREFIX = "program/"
"""Where versions of the node program lie in the cluster's bucket."""
SNAPSHOT_PREFIX = "snapshots/"
"""Where etcd snapshots lie in the cluster's bucket: below it a folder for each member."""


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


def etcd_members(settings: ClusterSettings, zones: tuple[str, ...]) -> tuple[EtcdMember, ...]:
    """The members of the configured size, round-robin over the zones.

    A member depends on its number and the zones only: a larger tier begins with the smaller one.
    """
    cidrs = etcd_cidrs(settings.network, zones)
    members = []
    for number in range(settings.etcd.size):
        zone = zones[number % len(zones)]
        address = member_address(cidrs[zone], number)
        members.append(EtcdMember(f"etcd-{number}", zone, address))
    return tuple(members)


def api_servers(settings: ClusterSettings, zones: tuple[str, ...]) -> tuple[ApiServer, ...]:
    """The API servers of the configured size, round-robin over the zones."""
    return tuple(
        ApiServer(f"api-{number}", zones[number % len(zones)])
        for number in range(settings.api.size)
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

    def node(self, name: str) -> str:
        """Everything that belongs to one node; its role may read no other node's."""
        return f"/{self.cluster}/nodes/{name}"

    def secrets(self, name: str) -> str:
        """The files of one node, a SecureString each, named as the files are."""
        return f"{self.node(name)}/files"

    def status(self, name: str) -> str:
        """What a node last reported of itself."""
        return f"{self.node(name)}/status"
