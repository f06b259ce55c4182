"""Reachability in a cluster: who must reach whom, and on which ports, as its users need it; listed
by hand. Pure.

It knows nothing of `components/network/security_group_rules.py`: a rule that was forgotten there is
found here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["etcd", "api", "balancer", "worker", "pod", "stranger", "outside"]
"""`worker` is an instance in the workers' security group, and a pod with an address of it; `pod` is
an address of `network.workerCidrs` in no such group; `stranger` is any other address of the VPC;
`outside` is beyond the VPC, as the APIs of AWS are."""

PORTS = frozenset(
    {
        22,  # SSH
        53,  # DNS, over TCP
        80,
        111,
        443,
        2378,
        2379,  # etcd: clients
        2380,  # etcd: peers
        2381,  # etcd: health and metrics
        2382,
        4001,  # etcd of long ago
        4443,  # metrics-server
        6443,  # Kubernetes API
        8080,
        8443,  # webhooks of ingress controllers
        9100,  # node exporter
        9443,  # webhooks of controller-runtime
        10248,  # kubelet's health
        10250,  # kubelet: logs, exec
        10257,  # kube-controller-manager
        10259,  # kube-scheduler
        30000,  # the first node port
    }
)
"""TCP ports that are asked for."""

EVERYBODY: tuple[Role, ...] = ("etcd", "api", "worker", "pod", "stranger")

_OPEN: Mapping[tuple[Role, Role], frozenset[int]] = {
    ("api", "etcd"): frozenset({2379, 2381}),
    ("etcd", "etcd"): frozenset({2380}),
    ("balancer", "api"): frozenset({6443}),
    # The endpoints of the Service `kubernetes` are the API servers themselves.
    ("worker", "api"): frozenset({6443}),
    ("pod", "api"): frozenset({6443}),
    # kubelets, kube-proxy and people.
    ("api", "balancer"): frozenset({6443}),
    ("worker", "balancer"): frozenset({6443}),
    ("pod", "balancer"): frozenset({6443}),
    ("stranger", "balancer"): frozenset({6443}),
    # Logs and exec, webhooks, aggregated APIs: any port that a pod chooses.
    ("api", "worker"): PORTS,
    ("api", "pod"): PORTS,
    # Pods and pods.
    ("worker", "worker"): PORTS,
    ("worker", "pod"): PORTS,
    ("pod", "worker"): PORTS,
    # AWS, downloads, Debian's mirror.
    ("etcd", "outside"): frozenset({80, 443}),
    ("api", "outside"): frozenset({80, 443}),
    ("worker", "outside"): frozenset({80, 443}),
}

_SERVERS: tuple[Role, ...] = ("etcd", "api", "balancer", "worker")
"""Behind rules of the program, so that what is not in the table above is closed."""


@dataclass(frozen=True)
class Claim:
    """Ports of a server that a client reaches; it reaches no other of PORTS."""

    client: Role
    server: Role
    ports: frozenset[int]


def claims(*, vpc_reaches_load_balancer: bool = True) -> Iterator[Claim]:
    """Every pair about which something is claimed.

    With `api.allowedCidrs` strangers lose the load balancer, and nodes do not.
    """
    for client in EVERYBODY:
        for server in _SERVERS:
            ports = _OPEN.get((client, server), frozenset())
            if client == "stranger" and not vpc_reaches_load_balancer:
                ports = frozenset()
            yield Claim(client, server, ports)
    for client, server in (("api", "pod"), ("worker", "pod"), ("balancer", "api")):
        yield _listed(client, server)
    for client in ("etcd", "api", "worker"):
        yield _listed(client, "outside")


def _listed(client: Role, server: Role) -> Claim:
    return Claim(client, server, _OPEN[client, server])
