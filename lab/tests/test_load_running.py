"""The load at a real API server: what it sees of one that is well, and of one that dies."""

import shutil
import signal
import socket
import time
from collections import Counter

import pytest
import yaml

from components.pki.admin_kubeconfig import admin_kubeconfig
from lab.lab_errors import LabError
from lab.proofs.load.api_load import CLIENTS, WATCHERS, api_load
from lab.proofs.load.history import of_clients, parse
from lab.proofs.load.summary import ALL, summaries
from node.errors import NodeError
from tests.node.controlplane import ControlPlane
from tests.node.daemons import start, wait_until


@pytest.fixture(scope="module")
def plane(tmp_path_factory, etcd_binaries, kubernetes_binaries, apiload_binaries):
    """An API server over one member of etcd."""
    plane = ControlPlane(tmp_path_factory.mktemp("plane"), etcd_binaries, kubernetes_binaries)
    try:
        plane.form(1)
        plane.running_server()
        yield plane
    finally:
        plane.close()


@pytest.fixture(scope="module")
def kubeconfig(plane):
    """The administrator's."""
    pair = plane.keys.kubernetes.leaf("admin", group="system:masters")
    document = admin_kubeconfig(
        cluster="test",
        url=f"https://{plane.servers[0].address}:6443",
        ca_pem=plane.keys.kubernetes.pair.certificate,
        cert_pem=pair.certificate,
        key_pem=pair.key,
    )
    return document.encode()


def test_an_api_server_that_is_well(kubeconfig, tmp_path):
    with api_load(kubeconfig, "default", tmp_path / "history.jsonl") as load:
        time.sleep(5)
    requests = of_clients(load.records)
    assert [one for one in requests if not one.ok] == []
    assert {one.op for one in requests} == {"write", "read", "create", "delete"}
    clients = Counter(kind for kind, _ in {(one.kind, one.client) for one in requests})
    assert clients == Counter(CLIENTS)
    assert load.verdict.complaint() == ""
    assert load.verdict.unknown_writes == 0
    # All of them, and what the load made and read itself.
    assert load.verdict.checked_operations > len(requests)
    watchers = {one.client for one in load.records if one.op == "event"}
    assert watchers == {f"watch-{number}" for number in range(WATCHERS)}
    assert list(tmp_path.iterdir()) == [tmp_path / "history.jsonl"]


def test_an_api_server_that_dies(plane, kubeconfig, tmp_path):
    (server,) = plane.servers
    with api_load(kubeconfig, "default", tmp_path / "history.jsonl") as load:
        time.sleep(2)
        began = time.time()
        server.daemons["kube-apiserver"].end(signal.SIGKILL)
        time.sleep(1)
        away = time.time()
        restarted(plane, server)
        ended = time.time()
        time.sleep(2)
    assert load.verdict.linearizable
    found = summaries(load.records, began, ended)
    assert set(found) == {ALL, *CLIENTS}
    assert all(one.stall >= away - began for one in found.values())
    requests = of_clients(load.records)
    assert [one for one in requests if one.start > ended and not one.ok] == []
    # Nothing listens: refused at once, but for those who ask for a connection again.
    refused = [one for one in requests if "connection refused" in one.error]
    assert {one.kind for one in refused} == set(CLIENTS) - {"next"}
    assert {one.status for one in refused} == {0}
    # The watches broke, and went on after what they had seen.
    broken = [one for one in load.records if one.op == "watch-end" and one.error]
    assert {one.client for one in broken} == {f"watch-{number}" for number in range(WATCHERS)}


def test_an_api_server_that_freezes(plane, kubeconfig, tmp_path):
    daemon = plane.servers[0].daemons["kube-apiserver"]
    history = tmp_path / "history.jsonl"
    with api_load(kubeconfig, "default", history) as load:
        time.sleep(2)
        daemon.process.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: noticed(history), "a ping is missed, and a write is given up")
        finally:
            daemon.process.send_signal(signal.SIGCONT)
        time.sleep(2)
    # Writes that were given up may have taken effect since.
    assert load.verdict.linearizable
    assert load.verdict.unknown_writes > 0
    requests = of_clients(load.records)
    assert {one.kind for one in requests if "connection lost" in one.error} == {"pinging"}
    # client-go's own pings take three quarters of a minute.
    assert {one.error for one in requests if one.kind == "kept"} == {""}


def noticed(history):
    """Whether a connection was lost so far, and a write given up: by whom is chance. A write that
    was under way on a lost connection, or one of a client that waits 10 s for a handshake."""
    whole, _, _ = history.read_text().rpartition("\n")
    failed = [one for one in parse(whole.splitlines()) if one.error]
    lost = any("connection lost" in one.error for one in failed)
    return lost and any(one.op == "write" for one in failed)


def restarted(plane, server):
    members = ",".join(member.member.client_url for member in plane.members)
    daemon = server.start_api(members)
    admin = plane.client("admin", "system:masters")

    def ready():
        try:
            return server.call(admin, "GET", "/readyz") == "ok"
        except NodeError:
            return False

    wait_until(ready, "the API server is ready again", daemon)


def test_the_next_address_is_tried_after_one_that_is_silent(plane, kubeconfig, tmp_path):
    (server,) = plane.servers
    silent = f"{plane.network}.99"
    hosts = tmp_path / "hosts"
    hosts.write_text(f"{silent} api.test\n{server.address} api.test\n")
    document = yaml.safe_load(kubeconfig)
    document["clusters"][0]["cluster"] |= {
        "server": "https://api.test:6443",
        "tls-server-name": server.address,
    }

    def with_hosts(words):
        script = f'mount --bind {hosts} /etc/hosts; exec "$@"'
        return ["unshare", "--map-root-user", "--mount", "sh", "-ec", script, "-", *words]

    # It takes connections, as a balancer does, and never says a word.
    with (
        socket.create_server((silent, 6443)),
        api_load(
            yaml.safe_dump(document).encode(),
            "default",
            tmp_path / "history.jsonl",
            within=with_hosts,
            clients={"next": 3},
        ) as load,
    ):
        time.sleep(3)
    requests = of_clients(load.records)
    assert [one for one in requests if not one.ok] == []
    assert min(one.seconds for one in requests) > 1


FULL = """\
global
  ssl-server-verify none
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen api
  bind {address}:6443 ssl crt {pair} alpn h2,http/1.1
  http-request return status 429 hdr Retry-After 1 if {{ rand(20) lt 1 }} !{{ url_param(watch) -m found }}
  server api {server}:6443 ssl crt {pair}
"""


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="no haproxy here")
def test_who_is_told_to_come_back_comes_back(plane, kubeconfig, tmp_path):
    address = f"{plane.network}.98"
    pair = plane.keys.kubernetes.leaf("admin", address, group="system:masters")
    (tmp_path / "pair.pem").write_text(pair.certificate + pair.key)
    (tmp_path / "haproxy.cfg").write_text(
        FULL.format(address=address, server=plane.servers[0].address, pair=tmp_path / "pair.pem")
    )
    document = yaml.safe_load(kubeconfig)
    document["clusters"][0]["cluster"]["server"] = f"https://{address}:6443"
    history = tmp_path / "history.jsonl"
    command = ["haproxy", "-f", tmp_path / "haproxy.cfg"]
    proxy = start(command, tmp_path / "haproxy.log")
    try:
        wait_until(lambda: listens(address), "the proxy listens", proxy)
        with api_load(yaml.safe_dump(document).encode(), "default", history) as load:
            time.sleep(5)
    finally:
        proxy.end()
    requests = of_clients(load.records)
    assert [one for one in requests if not one.ok] == []
    assert load.verdict.complaint() == ""
    # The second that they were told, and it is theirs.
    assert [one for one in requests if one.seconds > 1]
    assert [one for one in requests if one.seconds < 1]


def listens(address):
    try:
        socket.create_connection((address, 6443), 1).close()
    except OSError:
        return False
    return True


def test_a_load_that_cannot_begin_says_why(kubeconfig, tmp_path):
    with (
        pytest.raises(LabError, match=r'ended: apiload: no register .* "nowhere" not found$'),
        api_load(kubeconfig, "nowhere", tmp_path / "history.jsonl"),
    ):
        pytest.fail("it began")


def test_a_load_whose_proof_failed_ends_without_a_verdict(kubeconfig, tmp_path):
    history = tmp_path / "history.jsonl"
    with (
        pytest.raises(ZeroDivisionError),
        api_load(kubeconfig, "default", history) as load,
    ):
        raise ZeroDivisionError
    assert load.records == []
    size = history.stat().st_size
    time.sleep(0.5)
    assert history.stat().st_size == size
