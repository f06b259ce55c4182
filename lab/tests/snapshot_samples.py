"""Snapshots of machines that are well; a test replaces what it is about."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address, IPv4Network

from lab.machines.account import Instance, Subnet
from lab.running.node_names import Node
from lab.running.node_snapshot import ApiServer, Member, NodeSnapshot

MANAGER, SCHEDULER = "kube-controller-manager", "kube-scheduler"
VOTERS = {"etcd-0": "voter", "etcd-1": "voter"}
WELL = NodeSnapshot(
    node=Node(
        "api-0",
        Instance(
            id="i-0123456789abcdef0",
            state="running",
            image="ami-0d13a0000000a0910",
            type="m6i.large",
            subnet=Subnet("subnet-0", "vpc-0", "eu-central-1a", IPv4Network("10.0.0.0/24")),
            mac="02:00:00:aa:bb:cc",
            address=IPv4Address("10.0.0.4"),
            groups=(),
            profile=None,
            hop_limit=1,
            tokens_required=True,
            metadata=True,
            volumes=(),
            name="local-api-0",
        ),
    ),
    fault=None,
    runs=True,
    units={
        "etcd.service": {"ActiveState": "active"},
        "kube-apiserver.service": {"ActiveState": "active"},
    },
    userspace=1.0,
    expires=datetime(2027, 11, 4, tzinfo=UTC),
    etcd=None,
    api=None,
    target=None,
    check="ok",
)


def node(name: str, zone: str = "eu-central-1a", **changes: str) -> Node:
    """A machine of that name, whose instance id has the name in it."""
    subnet = replace(WELL.node.instance.subnet, zone=zone)
    return Node(name, replace(WELL.node.instance, id=f"i-{name}", subnet=subnet, **changes))


def member(
    name: str, *, leader: bool = False, role: str = "voter", members: dict[str, str] | None = VOTERS
) -> NodeSnapshot:
    """An etcd machine that serves."""
    said = Member(7, role, leader, 42, 4096, members)
    return replace(WELL, node=node(name), etcd=said)


def server(name: str, leases: tuple[str, ...] = (), target: str = "healthy") -> NodeSnapshot:
    """An API server that serves."""
    holders = {lease: f"{name}_x" if lease in leases else None for lease in (MANAGER, SCHEDULER)}
    return replace(WELL, node=node(name), api=ApiServer(ready=True, holders=holders), target=target)
