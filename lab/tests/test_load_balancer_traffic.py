"""Real traffic through a real load balancer: HAProxy in the namespaces of its nodes, TLS servers in
those of two targets, clients in theirs. The test says what the API would say.

It needs root, Linux and the tools of `lab.machines.requirements`; else it is skipped with the
reason.
"""

import ssl
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address, IPv4Network
from socket import create_connection

import pytest

from lab.machines import firewall, requirements
from lab.machines.account import Account, Group, Interface, Rule, Subnet
from lab.machines.host_programs import run
from lab.machines.lab_ca import lab_ca
from lab.machines.lab_names import Names
from lab.machines.layout import Layout
from lab.machines.load_balancer.haproxy_format import SHOW, servers
from lab.machines.load_balancer.haproxy_process import HAProxy
from lab.machines.load_balancer.reconciler import LoadBalancers
from lab.machines.network import namespaces, router
from lab.machines.network.faults import Faults, apply_faults
from lab.processes import marked
from lab.tests.load_balancer_samples import CHECK, ONE, OTHER, VPC, ZONES, load_balancer, node

pytestmark = [
    pytest.mark.daemons,
    pytest.mark.skipif(requirements.problem() is not None, reason=str(requirements.problem())),
]

PATIENCE = 300.0
QUICK = replace(CHECK, interval=1, timeout=10)
CIDR = IPv4Network("10.0.0.0/16")
ALLOWED = "10.0.0.0/24"
GROUPS = {
    "sg-balancer": Group(
        "sg-balancer",
        (Rule("tcp", (6443, 6443), ALLOWED, None),),
        (Rule("tcp", (6443, 6443), None, "sg-api"),),
    ),
    "sg-api": Group("sg-api", (Rule("tcp", (6443, 6443), None, "sg-balancer"),), ()),
}


@dataclass(frozen=True)
class Machine:
    """Somebody with an address on a subnet."""

    id: str
    mac: str
    address: IPv4Address
    subnet: Subnet


CLIENT = Machine("i-client", "02:00:00:00:01:01", IPv4Address("10.0.0.20"), node(0).subnet)
STRANGER = Machine("i-stranger", "02:00:00:00:01:02", IPv4Address("10.0.32.20"), node(1).subnet)
SERVERS = {
    ONE: Machine("i-one", "02:00:00:00:01:03", ONE.address, node(0).subnet),
    OTHER: Machine("i-other", "02:00:00:00:01:04", OTHER.address, node(1).subnet),
}


class Server:
    """A server that says who it is and who asked; its health is what `code` says."""

    def __init__(self, names: Names, machine: Machine, certificate: str) -> None:
        self.code, self.probes = 200, 0
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                healthz = self.path == "/readyz"
                if healthz:
                    server.probes += 1
                    assert self.headers["User-Agent"] == "ELB-HealthChecker/2.0"
                body = f"{machine.address} {self.client_address[0]}".encode()
                self.send_response(server.code if healthz else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        namespace = names.machine(machine.id)
        listener = namespaces.listener(namespace, str(machine.address), 6443)
        self._server = ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.daemon_threads = True
        self._server.socket = context.wrap_socket(
            listener, server_side=True, do_handshake_on_connect=False
        )
        self._server.handle_error = lambda *_: None
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class Connection:
    """A connection of a client, over which it may ask again and again."""

    def __init__(self, names: Names, client: Machine, address: IPv4Address) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        plain = namespaces.inside(
            names.machine(client.id), lambda: create_connection((str(address), 6443), 5)
        )
        try:
            self._http = HTTPConnection("api")
            self._http.sock = context.wrap_socket(plain)
        except BaseException:
            plain.close()
            raise

    def ask(self) -> tuple[str, str]:
        """Who answers, and who it thinks asks."""
        self._http.request("GET", "/")
        server, client = self._http.getresponse().read().decode().split()
        return server, client

    def ended(self) -> bool:
        """Whether the other side has ended it."""
        self._http.sock.settimeout(0.05)
        try:
            return self._http.sock.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self._http.sock.settimeout(5)

    def close(self) -> None:
        self._http.close()


class Told:
    """The API's side: what was reported to it."""

    def __init__(self) -> None:
        self.states: dict[str, str] = {}
        self.serving: list[str] = []

    def target(self, group: str, target: str, state: str) -> None:
        self.states[target] = state

    def serves(self, arn: str) -> None:
        self.serving.append(arn)


@dataclass
class World:
    """All of it."""

    names: Names
    layout: Layout
    load_balancers: LoadBalancers
    told: Told
    servers: dict[str, Server]
    account: Account
    connections: list[Connection] = field(default_factory=list)
    group: dict = field(default_factory=dict)

    def want(self, **group) -> None:
        self.group = {"check": QUICK, "delay": 0} | group
        self.load_balancers.want((load_balancer(**self.group),), self.account)

    def until(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE
        self.load_balancers.step()
        while not condition():
            assert time.monotonic() < deadline, self.told.states
            time.sleep(0.05)
            self.load_balancers.step()

    def connect(self, client: Machine = CLIENT, index: int = 0) -> Connection:
        connection = Connection(self.names, client, node(index).address)
        self.connections.append(connection)
        return connection

    def connect_to(self, target) -> Connection:
        """A connection that has ended up at a target."""
        while (connection := self.connect()).ask()[0] != str(target.address):
            connection.close()
        return connection

    def answers(self, times: int = 12) -> Counter:
        """Who answers new connections."""
        found = Counter()
        for _ in range(times):
            connection = self.connect()
            found[connection.ask()[0]] += 1
            connection.close()
        return found

    def known(self) -> set[str]:
        """The servers that the nodes have."""
        directory, state = self.layout.load_balancers, self.layout.state
        return {
            server.name
            for index in (0, 1)
            for server in servers(
                HAProxy(node(index).id, directory, self.names, state).ask(SHOW),
            )
        }

    def log(self, index: int = 0) -> list[str]:
        path = self.layout.load_balancers / node(index).id / "haproxy.log"
        return path.read_text().splitlines()


def settle(names: Names, machine: Machine) -> None:
    router.plug(names, machine)
    inside = ("ip", "-n", names.machine(machine.id))
    run(*inside, "link", "set", "lo", "up")
    prefix = machine.subnet.cidr.prefixlen
    run(*inside, "address", "add", f"{machine.address}/{prefix}", "dev", "ens5")
    run(*inside, "link", "set", "ens5", "up")
    run(*inside, "route", "add", "default", "via", str(machine.subnet.cidr[1]))


@pytest.fixture
def world(tmp_path) -> Iterator[World]:
    names, layout = Names.of(tmp_path), Layout(tmp_path)
    certificate = tmp_path / "server.pem"
    certificate.write_bytes(lab_ca().issue(("api",)))
    interfaces = (
        *(Interface(node(index).address, ("sg-balancer",)) for index in (0, 1)),
        *(Interface(target.address, ("sg-api",)) for target in SERVERS),
    )
    subnets = {node(index).subnet.id: node(index).subnet for index in (0, 1)}
    account = Account({}, subnets, GROUPS, interfaces, {VPC: CIDR}, {})
    told = Told()
    servers: dict[str, Server] = {}
    made = None
    try:
        router.create(names)
        for subnet in subnets.values():
            router.add_subnet(names, subnet)
        for machine in (CLIENT, STRANGER, *SERVERS.values()):
            settle(names, machine)
        rules = firewall.ruleset(["sg-api"], GROUPS, interfaces, CIDR)
        for target, machine in SERVERS.items():
            namespace = names.machine(machine.id)
            run("ip", "netns", "exec", namespace, "nft", "-f", "-", stdin=rules)
            servers[target.id] = Server(names, machine, str(certificate))
        load_balancers = LoadBalancers(layout, names, told, lambda _: None)
        made = World(names, layout, load_balancers, told, servers, account)
        made.want()
        made.until(lambda: set(told.states.values()) == {"healthy"})
        yield made
    finally:
        for connection in made.connections if made else ():
            connection.close()
        for server in servers.values():
            server.stop()
        for name in namespaces.existing(names.prefix):
            for pid in namespaces.processes(name):
                subprocess.run(["kill", "-9", str(pid)], check=False)
            namespaces.delete(name)


def test_both_addresses_lead_to_every_target_which_sees_the_load_balancers(world):
    for index in (0, 1):
        connections = [world.connect(index=index) for _ in range(16)]
        found = {connection.ask() for connection in connections}
        assert {server for server, _ in found} == {"10.0.0.5", "10.0.32.5"}
        assert {client for _, client in found} == {str(node(index).address)}
    assert world.told.serving == [load_balancer().arn]
    assert world.load_balancers.addresses() == {
        load_balancer().dns_name: (node(0).address, node(1).address),
    }


def test_only_allowed_clients_and_ports_get_through(world):
    assert world.connect().ask()
    with pytest.raises(TimeoutError):
        world.connect(STRANGER, index=1)
    with pytest.raises(TimeoutError):
        namespaces.inside(
            world.names.machine(CLIENT.id),
            lambda: create_connection((str(node(0).address), 6444), 2),
        )
    with pytest.raises(TimeoutError):
        # Nor do targets let in anybody but the load balancer.
        namespaces.inside(
            world.names.machine(CLIENT.id), lambda: create_connection((str(ONE.address), 6443), 2)
        )


def test_thresholds_and_an_unhealthy_targets_connections_are_kept(world):
    kept = world.connect_to(ONE)
    world.servers[ONE.id].code = 500
    world.until(lambda: world.told.states[ONE.id] == "unhealthy.draining")
    # What is told is what one node found; the other's own checks may take an interval longer.
    world.until(lambda: set(world.answers()) == {"10.0.32.5"})
    assert kept.ask()[0] == "10.0.0.5"
    assert world.told.states[OTHER.id] == "healthy"
    failed = [line for line in world.log() if "failed" in line and f"/{ONE.name} " in line]
    assert [line.rpartition("status: ")[2] for line in failed[:3]] == [
        "2/3 UP.",
        "1/3 UP.",
        "0/2 DOWN.",
    ]
    before = len(world.log())
    world.servers[ONE.id].code = 200
    world.until(lambda: world.told.states[ONE.id] == "healthy")
    passed = [line for line in world.log()[before:] if f"/{ONE.name} succeeded" in line]
    assert [line.rpartition("status: ")[2] for line in passed] == ["1/2 DOWN.", "3/3 UP."]
    assert kept.ask()[0] == "10.0.0.5"


def test_an_unhealthy_targets_connections_end_with_its_draining_interval(world):
    world.want(unhealthy_draining=4)
    kept, others = world.connect_to(ONE), world.connect_to(OTHER)
    world.servers[ONE.id].code = 500
    world.until(lambda: world.told.states[ONE.id] == "unhealthy.draining")
    assert kept.ask()[0] == "10.0.0.5"
    world.until(kept.ended)
    # The load balancer is the first to know; the API learns it with its next look at HAProxy.
    world.until(lambda: world.told.states[ONE.id] == "unhealthy")
    assert others.ask()[0] == "10.0.32.5"


def test_an_unhealthy_targets_connections_are_cut_where_that_is_declared(world):
    before = world.connect_to(OTHER)
    world.want(terminate_unhealthy=True)
    world.load_balancers.step()
    # A new configuration cuts nothing: HAProxy hands over to itself.
    assert before.ask()[0] == "10.0.32.5"
    world.until(lambda: set(world.told.states.values()) == {"healthy"})
    cut, kept = world.connect_to(ONE), world.connect_to(OTHER)
    world.servers[ONE.id].code = 500
    world.until(cut.ended)
    world.until(lambda: world.told.states[ONE.id] == "unhealthy")
    assert kept.ask()[0] == "10.0.32.5"


def test_a_deregistered_target_drains_and_nobody_else_notices(world):
    leaving, staying = world.connect_to(ONE), world.connect_to(OTHER)
    gone = {"targets": (OTHER,), "draining": (ONE,), "terminate_drained": True}
    world.want(**gone, delay=3600)
    world.until(lambda: "enters drain state" in "".join(world.log(0)))
    assert set(world.answers()) == {"10.0.32.5"}
    assert leaving.ask()[0] == "10.0.0.5"
    assert world.told.states[ONE.id] == "healthy"  # The API knows that it drains.
    world.want(**gone, delay=0)
    world.until(leaving.ended)
    assert world.told.states[ONE.id] == "unused"
    world.until(lambda: ONE.name not in world.known())
    assert staying.ask()[0] == "10.0.32.5"
    world.want()
    world.until(lambda: world.told.states[ONE.id] == "healthy")
    assert set(world.answers(40)) == {"10.0.0.5", "10.0.32.5"}
    assert staying.ask()[0] == "10.0.32.5"


def test_connections_of_a_drained_target_stay_where_nobody_ends_them(world):
    leaving = world.connect_to(ONE)
    world.want(targets=(OTHER,), draining=(ONE,), delay=0)
    world.until(lambda: world.told.states[ONE.id] == "unused")
    assert leaving.ask()[0] == "10.0.0.5"
    leaving.close()
    world.until(lambda: ONE.name not in world.known())


def test_with_no_healthy_target_all_get_connections(world):
    for server in world.servers.values():
        server.code = 503
    world.until(lambda: set(world.told.states.values()) == {"unhealthy.draining"})
    assert set(world.answers(40)) == {"10.0.0.5", "10.0.32.5"}
    both = (node(0).address, node(1).address)
    world.until(lambda: world.load_balancers.addresses()[load_balancer().dns_name] == both)


def test_without_cross_zone_a_nodes_address_goes_with_its_targets(world):
    world.want(cross_zone=False)
    world.until(lambda: set(world.told.states.values()) == {"healthy"})
    world.servers[ONE.id].code = 500
    name = load_balancer().dns_name
    world.until(lambda: world.load_balancers.addresses()[name] == (node(1).address,))
    assert world.connect(index=1).ask()[0] == "10.0.32.5"


def test_a_zone_that_is_cut_off_leaves_the_name_and_the_other_serves(world):
    faults = Faults(zones=(ZONES[1],))
    faults.save(world.layout.faults)
    apply_faults(world.names, faults, world.account.subnets.values(), router.links(world.names))
    name = load_balancer().dns_name
    assert world.load_balancers.addresses()[name] == (node(0).address,)
    world.until(lambda: world.told.states[OTHER.id].startswith("unhealthy"))
    assert set(world.answers()) == {"10.0.0.5"}


def test_a_dead_haproxy_is_replaced_and_a_removed_load_balancer_leaves_nothing(world):
    processes = marked("HA_LAB_MACHINES", str(world.layout.state))
    assert len(processes) == 2
    for process in processes:
        process.send(9)
        assert process.ended(10)
    world.until(lambda: len(marked("HA_LAB_MACHINES", str(world.layout.state))) == 2)
    world.until(lambda: set(world.told.states.values()) == {"healthy"})
    assert world.connect().ask()
    world.load_balancers.want((), world.account)
    world.load_balancers.step()
    assert marked("HA_LAB_MACHINES", str(world.layout.state)) == []
    assert not [one for one in namespaces.existing(world.names.prefix) if "eni-" in one]
    assert list(world.layout.load_balancers.iterdir()) == []
