"""Connections through a real HAProxy to real etcd members that lose their leader."""

import json
import os
import shutil
import signal
import ssl
import subprocess
import tempfile
import threading
import time
from contextlib import suppress
from http.client import HTTPException, HTTPSConnection
from pathlib import Path

import pytest

from tests.node.controlplane import PKI, ControlPlane
from tests.node.daemons import wait_until

pytestmark = [
    pytest.mark.daemons,
    pytest.mark.skipif(shutil.which("haproxy") is None, reason="no haproxy here"),
]


@pytest.fixture
def plane(etcd_binaries):
    # A unix socket's path has 108 bytes at most.
    directory = Path(tempfile.mkdtemp(prefix="node-"))
    plane = ControlPlane(directory, etcd_binaries, directory)
    plane.form(3)
    yield plane
    plane.close()
    shutil.rmtree(directory)


@pytest.fixture
def proxy(plane):
    """A machine with the proxy and the watch, which has heard every member, without an API server.

    Of a leader that was gone before it was heard the watch knows nothing.
    """
    server = plane.server(0)
    server.start_proxy(plane.membership())
    log, names = server.inside("/leader-watch.log"), {node.name for node in plane.members}
    wait_until(
        lambda: (
            names
            == {
                name.strip(",")
                for line in log.read_text().splitlines()
                if line.startswith("heard ")
                for name in line.split()[1:]
            }
        ),
        "the watch has heard every member",
        server.daemons["leader-watch"],
    )
    return server


@pytest.fixture
def ended(proxy):
    """What the watch has said so far."""

    def read():
        said = proxy.inside("/leader-watch.log").read_text().splitlines()
        expected = ("ended connections", "No such", "heard ")
        assert [line for line in said if not any(one in line for one in expected)] == []
        return [line for line in said if "ended connections" in line]

    return read


class Connection:
    """A connection that lasts, as those of an API server do."""

    def __init__(self, server):
        pki = server.inside(PKI["api"])
        trust = ssl.create_default_context(cafile=str(pki / "etcd-ca.crt"))
        trust.load_cert_chain(pki / "apiserver-etcd-client.crt", pki / "apiserver-etcd-client.key")
        self._http = HTTPSConnection(server.address, 2379, timeout=60, context=trust)
        self.member = ""
        self.member = self.ask("/v3/maintenance/status", {})["header"]["member_id"]

    def ask(self, path, body):
        self._http.request("POST", path, json.dumps(body))
        response = self._http.getresponse()
        return {"status": response.status, **json.loads(response.read())}

    def write(self):
        """What became of a write: its status, or that the connection ended."""
        try:
            return self.ask("/v3/kv/put", {"key": "a2V5", "value": "dmFsdWU="})["status"]
        except (OSError, HTTPException):
            return "connection ended"
        finally:
            self.close()

    def close(self):
        self._http.close()


@pytest.fixture
def connections(proxy):
    """Lasting connections to every member."""
    made = []
    while len(made) < 12:
        made.append(_connect(proxy))
    assert len({connection.member for connection in made}) == 3
    yield made
    for connection in made:
        connection.close()


def _connect(proxy):
    """A connection, once HAProxy listens."""
    while True:
        with suppress(OSError, HTTPException):
            return Connection(proxy)
        time.sleep(0.1)


def member_id(node):
    return node.gateway().ask("/v3/maintenance/status", {})["header"]["member_id"]


def test_a_write_that_went_to_a_leader_that_fell_silent_ends_with_its_connection(
    plane, proxy, connections, ended
):
    """etcd itself would answer after 7 s that the request timed out."""
    leader = plane.leader()
    its_id = member_id(leader)
    followers = [connection for connection in connections if connection.member != its_id]
    os.kill(leader.daemons["etcd"].pid, signal.SIGSTOP)
    time.sleep(0.3)
    outcomes = []
    threads = [
        threading.Thread(target=lambda c=one: outcomes.append(c.write())) for one in followers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # On a starved computer etcd may be first.
    assert set(outcomes) <= {"connection ended", 503}
    others = {node.name for node in plane.members if node is not leader}
    wait_until(
        lambda: {line.split()[3].strip(":") for line in ended()} == others, "connections are ended"
    )
    assert Connection(proxy).write() == 200


def test_a_leader_that_stops_by_itself_ends_no_connection_to_the_others(plane, connections, ended):
    leader = plane.leader()
    its_id = member_id(leader)
    os.kill(leader.daemons["etcd"].pid, signal.SIGTERM)
    leader.daemons["etcd"].process.wait(30)
    plane.members.remove(leader)
    wait_until(lambda: bool(plane.leader()), "another leads")
    # As long as the watch takes to judge.
    time.sleep(2)
    assert ended() == []
    assert {c.write() for c in connections if c.member != its_id} == {200}


@pytest.mark.skipif(
    shutil.which("strace") is None or os.geteuid() != 0, reason="nobody to slow a disk down"
)
def test_members_with_slow_disks_keep_their_connections(plane, proxy, ended):
    """Of all three, under writes: each fdatasync takes 500 ms longer."""
    slowed, over, written = [], threading.Event(), []
    kept = _connect(proxy)

    def write():
        gateway = plane.members[0].gateway()
        while not over.is_set():
            gateway.put("key", "value")
            written.append(time.monotonic())

    writers = [threading.Thread(target=write) for _ in range(4)]
    try:
        for writer in writers:
            writer.start()
        slow = "--inject=fdatasync:delay_enter=500000"
        for member in plane.members:
            pid = str(member.daemons["etcd"].pid)
            command = ["strace", "-f", "-qq", "-o/dev/null", "--trace=fdatasync", slow, "-p", pid]
            slowed.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        began = time.monotonic()
        while time.monotonic() < began + 20:
            # One connection all the time: it would be another one if the proxy had ended it.
            assert kept.ask("/v3/maintenance/status", {})["status"] == 200
            time.sleep(0.1)
    finally:
        over.set()
        kept.close()
        for writer in writers:
            writer.join()
        for tracer in slowed:
            tracer.terminate()
            tracer.wait()
    # They were slow, and they wrote.
    assert 0 < len([when for when in written if when > began + 2]) < 400
    assert ended() == []
