"""Proof 4: everybody reaches what they need, and every port is open or closed as the rules say.

Packets answer two questions. Whether those who need something reach it is asked of a list that
knows no rule (reachability.py): nodes of the stack, workers and pods of somebody else, a stranger
in the VPC. Whether the lab filters as the rules say is asked of the rules themselves.
"""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Address

import pytest

from components.network.security_group_rules import rules
from lab.machines.network.router import AWS
from lab.proofs import guests
from lab.proofs.endpoints import Peer, open_to
from lab.proofs.expected_reachability import PORTS, Role, claims
from lab.proofs.joined_workers import settled
from lab.proofs.kubernetes_api import api, resolve
from lab.proofs.lab_session import LabSession
from lab.proofs.pods import pods
from lab.proofs.polling import until
from lab.proofs.port_probe import Endpoint, probe_ports
from lab.proofs.stack_settings import settings
from lab.proofs.tls import Server
from lab.workspace import Workspace

GROUPS: Mapping[Role, str] = {
    "etcd": "etcd",
    "api": "api",
    "balancer": "balancer",
    "worker": "workers",
}
"""Security groups by their names in the rules; the other roles have none."""
AT_ONCE = 2
"""Clients that probe at the same time: each has a connection open to every endpoint."""


@dataclass(frozen=True)
class Host:
    """Somebody on the network."""

    name: str
    role: Role
    address: IPv4Address
    namespace: str | None = None
    """Where it probes from; None for those who only answer."""

    @property
    def peer(self) -> Peer:
        """As the rules know it."""
        return Peer(self.name, self.address, GROUPS.get(self.role))


@pytest.fixture(scope="module")
def hosts(session: LabSession, workspace: Workspace) -> Iterator[list[Host]]:
    """Everybody: the stack's machines, their pods, its load balancer, guests, and AWS."""
    place = session.kubectl.place
    found = [
        Host("stranger", "stranger", place.address, place.namespace),
        Host("AWS", "outside", AWS),
    ]
    tiers: tuple[Role, ...] = ("etcd", "api")
    for tier in tiers:
        for node in session.nodes(tier):
            address = node.instance.address
            found.append(Host(node.name, tier, address, session.namespace(node)))
    name = api(session.kubectl).server.name
    found += [
        Host(f"load balancer {address}", "balancer", IPv4Address(address))
        for address in resolve(session.kubectl, name)
    ]
    found += _workers(session)
    group = session.output("workersSecurityGroupId")
    subnets = {node.instance.subnet.id: node.instance.subnet for node in session.nodes("api")}
    (worker_cidr,) = settings(workspace).network.worker_cidrs
    with ExitStack() as stack:
        workers = stack.enter_context(
            guests.workers(session.lab, group, sorted(subnets.values(), key=lambda s: s.id)[:2])
        )
        pod = stack.enter_context(guests.pod(session.lab, worker_cidr))
        found += [Host(one.name, "worker", one.address, one.namespace) for one in workers]
        found.append(Host(pod.name, "pod", pod.address, pod.namespace))
        # The machines' rules name the members of groups: they learn of the new ones in a moment.
        servers = [host for host in found if host.role in {"api", "balancer"}]
        endpoints = [(str(server.address), 6443) for server in servers]
        for worker in workers:
            until(f"{worker.name} is known", partial(_all_open, worker.namespace, endpoints), 60.0)
        yield found


def _workers(session: LabSession) -> Iterator[Host]:
    """The stack's own workers, and a pod on each, whose address the rules treat as the worker's."""
    known = settled(session)
    running = pods(session, "kube-system", "k8s-app=kube-dns") or [] if known else []
    for worker in known:
        machine = worker.machine
        yield Host(machine.name, "worker", machine.instance.address, session.namespace(machine))
        for pod in running:
            if pod.node == worker.name and pod.serves:
                yield Host(f"pod on {machine.name}", "worker", IPv4Address(pod.address))


def _all_open(namespace: str, endpoints: list[Endpoint]) -> bool:
    return all(probe_ports(namespace, endpoints).values())


@pytest.fixture(scope="module")
def ports(workspace: Workspace) -> frozenset[int]:
    """Ports that are probed: those of the list, and any other that a rule names."""
    return PORTS | {
        rule.traffic.first
        for rule in rules(settings(workspace))
        if rule.traffic.first is not None and rule.traffic.first == rule.traffic.last
    }


@pytest.fixture(scope="module")
def opened(hosts: list[Host], ports: frozenset[int]) -> Mapping[str, Mapping[Endpoint, bool]]:
    """What every host that probes found open, by its name. Everybody probes once."""

    def probe_everywhere(client: Host) -> Mapping[Endpoint, bool]:
        endpoints = [(str(one.address), port) for one in hosts if one != client for port in ports]
        return probe_ports(str(client.namespace), endpoints)

    clients = [host for host in hosts if host.namespace]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = list(pool.map(probe_everywhere, clients))
    return {client.name: endpoints for client, endpoints in zip(clients, found, strict=True)}


def test_everybody_reaches_what_they_need_and_nothing_else(
    hosts: list[Host], opened: Mapping[str, Mapping[Endpoint, bool]]
) -> None:
    """A worker, a pod, an API server that calls a kubelet or a webhook, a stranger."""
    wrong: list[str] = []
    asked: set[tuple[Role, Role]] = set()
    for claim in claims():
        clients = [host for host in hosts if host.role == claim.client and host.namespace]
        servers = [host for host in hosts if host.role == claim.server]
        for client, server in ((c, s) for c in clients for s in servers if c != s):
            asked.add((client.role, server.role))
            for port in sorted(PORTS):
                found = opened[client.name][str(server.address), port]
                if found != (port in claim.ports):
                    way = f"{client.name} to {server.name}:{port}"
                    wrong.append(f"{way} is {'open' if found else 'closed'}")
    assert wrong == []
    # Nobody probes from the load balancer: that it reaches API servers is that the API answers.
    assert asked == {(c.client, c.server) for c in claims() if c.client != "balancer"}


def test_every_port_is_open_or_closed_as_the_rules_say(
    hosts: list[Host],
    workspace: Workspace,
    ports: frozenset[int],
    opened: Mapping[str, Mapping[Endpoint, bool]],
) -> None:
    table = rules(settings(workspace))
    wrong: list[str] = []
    counted = {True: 0, False: 0}
    for client in (host for host in hosts if host.namespace):
        for server in (host for host in hosts if host != client):
            for port in sorted(ports):
                wanted = open_to(table, client.peer, server.peer, port)
                counted[wanted] += 1
                if opened[client.name][str(server.address), port] != wanted:
                    way = f"{client.name} to {server.name}:{port}"
                    wrong.append(f"{way} is {'closed' if wanted else 'open'}")
    assert wrong == []
    assert counted[True] > 0
    assert counted[False] > 0


def test_workers_and_pods_reach_the_endpoints_of_the_service_kubernetes(
    session: LabSession, hosts: list[Host]
) -> None:
    """As kube-proxy sends them there: past the load balancer, to each API server's own address,
    which answers under the Service's name."""
    slices = json.loads(
        session.kubectl.output(
            "get",
            "endpointslices.discovery.k8s.io",
            "--namespace=default",
            "--selector=kubernetes.io/service-name=kubernetes",
            "--output=json",
        )
    )["items"]
    endpoints = {
        (address, port["port"])
        for one in slices
        for port in one["ports"]
        for endpoint in one["endpoints"]
        for address in endpoint["addresses"]
    }
    servers = {(str(node.instance.address), 6443) for node in session.nodes("api")}
    assert endpoints == servers
    ca = api(session.kubectl).server.ca
    for client in (one for one in hosts if one.namespace and one.role in {"worker", "pod"}):
        for address, port in sorted(endpoints):
            name = "kubernetes.default.svc"
            server = Server(str(client.namespace), address, port, name, ca)
            assert server.ask("/readyz").status == 200, f"{client.name} to {address}"
