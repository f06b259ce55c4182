"""A real HAProxy whose servers follow the membership, under clients whose connections last."""

import json
import shutil
import signal
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from http.client import HTTPConnection
from pathlib import Path

import pytest

from node import web
from node.api import proxy, proxy_socket
from node.api.haproxy import BACKENDS, READY, servers, show
from node.contract import PROXY_CONFIG, PROXY_SOCKET
from node.errors import NodeError
from node.membership import Member
from tests.node.backends import Backend, Client
from tests.node.controlplane import ApiNode, ControlPlane
from tests.node.daemons import start, wait_until
from tests.node.doubles import FakeMachine
from tests.node.loopback import network

pytestmark = [
    pytest.mark.daemons,
    pytest.mark.skipif(shutil.which("haproxy") is None, reason="no haproxy here"),
]

UNIT = "etcd-proxy.service"


class ProxyMachine(FakeMachine):
    """Runs HAProxy as etcd-proxy.service does, on a loopback address in place of 127.0.0.1."""

    def __init__(self, node: ApiNode) -> None:
        super().__init__()
        self.node = node

    def reload(self, unit: str) -> None:
        assert unit == UNIT
        super().reload(unit)
        self.run()

    def run(self) -> None:
        text = self.node.inside(PROXY_CONFIG).read_text()
        text = text.replace("127.0.0.1:", f"{self.node.address}:")
        config = self.node.root / "haproxy.cfg"
        config.write_text(text.replace(PROXY_SOCKET, str(self.node.inside(PROXY_SOCKET))))
        self.node.inside(PROXY_SOCKET).parent.mkdir(parents=True, exist_ok=True)
        command = ["/usr/sbin/haproxy", "-Ws", "-f", config]
        daemon = start(command, self.node.root / "haproxy.log")
        self.node.daemons["haproxy"] = daemon
        wait_until(self._answers, "HAProxy runs", daemon)

    def _answers(self) -> bool:
        try:
            return bool(proxy_socket.ask(show(READY)))
        except OSError:
            return False


@pytest.fixture
def machine(monkeypatch, aws, node):
    # A unix socket's path has 108 bytes at most.
    directory = tempfile.mkdtemp(prefix="node-")
    root = Path(directory)
    monkeypatch.setenv("HA_NODE_ROOT", directory)
    machine = ProxyMachine(ApiNode(root, "api-0", f"{network()}.30", root))
    yield machine
    machine.node.close()
    shutil.rmtree(directory)


@pytest.fixture
def backends(machine):
    """Members on addresses beside the machine's, made when they are asked for."""
    made = {}
    prefix = machine.node.address.rpartition(".")[0]

    def get(*numbers, healthy=True):
        for n in numbers:
            if n not in made:
                made[n] = Backend(f"etcd-{n}", f"{prefix}.{10 + n}", healthy=healthy)
        return [made[n] for n in numbers]

    yield get
    for backend in made.values():
        backend.close()


@pytest.fixture
def follow(machine, aws, node):
    """Want these members, and run the node agent; what it said."""
    settings = node("api-0")

    def run(members):
        document = [{"name": m.name, "address": m.address} for m in members]
        aws.put_parameter(
            Name="/test/etcd/members", Value=json.dumps(document), Type="String", Overwrite=True
        )
        return proxy.run(settings, machine)

    return run


def found():
    return {server.name: server for server in servers(proxy_socket.ask(show(READY)))}


def up(*names):
    def check():
        have = found()
        return set(have) >= set(names) and all(have[n].up and have[n].used for n in names)

    wait_until(check, f"{names} are up")


def down(*names):
    wait_until(lambda: not any(found()[n].up for n in names), f"{names} are down")


class Newcomers:
    """A new connection all the time; those that failed."""

    def __init__(self, address):
        self.made, self.failed, self._stop = {}, [], threading.Event()
        self._thread = threading.Thread(target=self._run, args=(address,))
        self._thread.start()

    def _run(self, address):
        while not self._stop.is_set():
            try:
                client = Client(address)
                self.made[client.member] = self.made.get(client.member, 0) + 1
                client.close()
            except OSError as error:
                self.failed.append(error)
                time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


def test_three_to_five_to_three_without_a_reload_or_a_failed_connection(machine, follow, backends):
    three, five = backends(0, 1, 2), backends(0, 1, 2, 3, 4)
    assert follow(three) == "started HAProxy with etcd-0, etcd-1, etcd-2"
    assert machine.calls == [f"reload {UNIT}"]
    assert follow(three) == "HAProxy has etcd-0, etcd-1, etcd-2"
    up("etcd-0", "etcd-1", "etcd-2")
    address = machine.node.address
    pid = proxy_socket.ask("show info").split("Pid: ")[1].split()[0]
    with ExitStack() as clients:

        def connect():
            client = Client(address)
            clients.callback(client.close)
            return client

        lasting = [connect() for _ in range(12)]
        assert {client.member for client in lasting} == {"etcd-0", "etcd-1", "etcd-2"}

        with Newcomers(address) as newcomers:
            assert follow(five) == "HAProxy now has etcd-0, etcd-1, etcd-2, etcd-3, etcd-4"
            up("etcd-3", "etcd-4")
            assert follow(five) == "HAProxy has etcd-0, etcd-1, etcd-2, etcd-3, etcd-4"
            later = [connect() for _ in range(12)]
            assert {"etcd-3", "etcd-4"} <= {client.member for client in later}

            # They still serve, so they are kept: perhaps the quorum needs them.
            kept = "HAProxy has etcd-0, etcd-1, etcd-2; etcd-3, etcd-4 until etcd has left there"
            assert follow(three) == kept
            assert all(client.alive() for client in lasting + later)
        assert newcomers.failed == []
        assert set(newcomers.made) == {backend.name for backend in five}

        # They leave, and what they had goes with them.
        for backend in five[3:]:
            backend.healthy = False
        down("etcd-3", "etcd-4")
        with Newcomers(address) as newcomers:
            assert follow(three) == "HAProxy now has etcd-0, etcd-1, etcd-2"
            assert set(found()) == {"etcd-0", "etcd-1", "etcd-2"}
            assert follow(three) == "HAProxy has etcd-0, etcd-1, etcd-2"
        assert newcomers.failed == []
        remaining = {"etcd-0", "etcd-1", "etcd-2"}
        assert set(newcomers.made) <= remaining
        assert all(client.alive() for client in lasting)
        for client in later:
            assert client.alive() == (client.member in remaining)
    assert machine.calls == [f"reload {UNIT}"]
    assert proxy_socket.ask("show info").split("Pid: ")[1].split()[0] == pid
    assert {path for b in five for path in b.asked} == set(BACKENDS.values())


def test_a_member_that_does_not_serve_yet_gets_no_connection(machine, follow, backends):
    follow(backends(0))
    up("etcd-0")
    (late,) = backends(1, healthy=False)
    with Newcomers(machine.node.address) as newcomers:
        follow(backends(0, 1))
        wait_until(lambda: bool(late.asked), "its health is checked")
        time.sleep(1)  # as long as two checks of an unhealthy server take
        assert late.connections == 0
        assert not found()["etcd-1"].up
        late.healthy = True
        up("etcd-1")
        wait_until(lambda: late.connections > 0, "it gets connections")
    assert newcomers.failed == []


def test_a_member_that_is_slow_stays(machine, follow, backends):
    """Its checks take as long as those of a member whose disk takes 500 ms for each write."""
    members = backends(0, 1, 2)
    follow(members)
    up("etcd-0", "etcd-1", "etcd-2")
    client = Client(machine.node.address)
    for member in members:
        member.seconds = 4.3
    # Three checks of each.
    give_up = time.monotonic() + 14
    while time.monotonic() < give_up:
        assert all(server.up for server in found().values())
        time.sleep(0.2)
    assert client.alive()
    client.close()


def test_a_member_of_another_address_is_another_server(machine, follow, backends):
    members = backends(0, 1)
    follow(members)
    (elsewhere,) = backends(5)
    moved = [members[0], Member("etcd-1", elsewhere.address)]
    assert follow(moved) == "HAProxy now has etcd-0, etcd-1"
    up("etcd-0", "etcd-1")
    assert found()["etcd-1"].address == elsewhere.address


def test_a_server_that_somebody_took_out_gets_connections_again(machine, follow, backends):
    members = backends(0, 1)
    follow(members)
    proxy_socket.ask("set server etcd/etcd-1 state maint")
    assert follow(members) == "HAProxy now has etcd-0, etcd-1"
    up("etcd-0", "etcd-1")


def test_after_a_restart_it_has_the_membership_from_its_file(machine, follow, backends):
    follow(backends(0))
    follow(backends(0, 1, 2))
    machine.node.daemons["haproxy"].end(signal.SIGTERM)
    machine.run()
    assert set(found()) == {"etcd-0", "etcd-1", "etcd-2"}
    assert follow(backends(0, 1, 2)) == "HAProxy has etcd-0, etcd-1, etcd-2"


COMMANDS = 14
"""In each of two backends: to look, to end and to forget one server, to add and to use each of two."""


class Killed(BaseException):
    """The power fails."""


@pytest.mark.parametrize("stop", range(1, COMMANDS + 1))
def test_stopped_after_any_command_the_next_run_completes_it(
    machine, follow, backends, monkeypatch, stop
):
    before, gone = backends(0, 1), backends(2)
    follow([*before, *gone])
    up("etcd-0", "etcd-1", "etcd-2")
    gone[0].healthy = False
    down("etcd-2")
    after = [*before, *backends(3, 4)]
    real, left = proxy_socket.ask, [stop]

    def mortal(command):
        answer = real(command)
        left[0] -= 1
        if left[0] == 0:
            raise Killed
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(proxy_socket, "ask", mortal)
        with pytest.raises(Killed):
            follow(after)
    follow(after)
    up("etcd-0", "etcd-1", "etcd-3", "etcd-4")
    assert "etcd-2" not in found()
    assert follow(after) == "HAProxy has etcd-0, etcd-1, etcd-3, etcd-4"
    assert machine.calls == [f"reload {UNIT}"]


def test_what_haproxy_says_of_a_command_that_it_refuses_is_passed_on(
    machine, follow, backends, monkeypatch
):
    follow(backends(0))
    monkeypatch.setattr(proxy, "add", lambda _backend, member: f"add server nowhere/{member.name}")
    with pytest.raises(NodeError, match=r"HAProxy did not add server nowhere/etcd-1: .*backend"):
        follow(backends(0, 1))


def test_connections_that_do_not_end_keep_the_server(machine, follow, backends, monkeypatch):
    (stays, goes) = backends(0, 1)
    follow([stays, goes])
    up("etcd-0", "etcd-1")
    goes.healthy = False
    down("etcd-1")
    monkeypatch.setattr(proxy, "END_SECONDS", 0.2)
    monkeypatch.setattr(
        proxy, "remove", lambda where, name: ("show version", f"del server {where}/{name}")
    )
    monkeypatch.setattr(proxy_socket, "tell", lambda *_: None)
    with pytest.raises(NodeError, match=r"HAProxy keeps etcd-1.*: Only servers in maintenance"):
        follow([stays])


def test_a_learner_gets_no_connection_until_it_is_promoted(
    machine, follow, etcd_binaries, tmp_path
):
    """It refuses what API servers ask, although /health calls it healthy."""
    plane = ControlPlane(tmp_path, etcd_binaries, tmp_path)
    try:
        members = plane.form(1)
        follow([Member(m.name, m.address) for m in members])
        up("etcd-0")
        learner = plane.member(1)

        cluster = members[0].gateway()

        def agreed(change, **what):
            # etcd refuses while members are not connected, or not in sync.
            with suppress(OSError):
                return bool(cluster.ask(f"/v3/cluster/member/{change}", what))
            return False

        urls = [learner.member.peer_url]
        wait_until(lambda: agreed("add", peerURLs=urls, isLearner=True), "the learner is a member")
        daemon = learner.start(plane.initial([*members, learner]), state="existing")
        follow([Member(m.name, m.address) for m in (*members, learner)])

        def answered():
            row = next(
                line for line in proxy_socket.ask(show(READY)).splitlines() if " etcd-1 " in line
            )
            # L7STS: an answer, and not the right one (management guide, srv_check_status).
            return row.split()[10] == "17"

        wait_until(answered, "the learner answers that it is not healthy", daemon)
        metrics = HTTPConnection(learner.address, 2381, timeout=5)
        assert '"health":"true"' in web.ask(metrics, "/health?exclude=NOSPACE")
        assert not learner.healthy()
        assert not found()["etcd-1"].up
        (identity,) = [
            m["ID"]
            for m in cluster.ask("/v3/cluster/member/list", {})["members"]
            if m.get("isLearner")
        ]
        wait_until(lambda: agreed("promote", ID=identity), "it is promoted")
        up("etcd-0", "etcd-1")
    finally:
        plane.close()
