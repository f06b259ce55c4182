"""The load at a real API server: what it sees of one that is well, and of one that dies."""

import signal
import time
from collections import Counter

import pytest

from components.pki.admin_kubeconfig import admin_kubeconfig
from lab.errors import LabError
from lab.proofs.load.api_load import CLIENTS, WATCHERS, api_load
from lab.proofs.load.history import of_clients, window
from lab.proofs.load.summary import ALL, summaries
from node.errors import NodeError
from tests.node.controlplane import ControlPlane
from tests.node.daemons import wait_until


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
    # What was made and not read by its client was read in the end.
    assert load.verdict.checked_operations > len(requests)
    changes = [one for one in requests if one.op != "read"]
    assert load.verdict.watched_events == pytest.approx(WATCHERS * len(changes), rel=0.1)
    assert list(tmp_path.iterdir()) == [tmp_path / "history.jsonl"]
    assert b"PRIVATE KEY" not in (tmp_path / "history.jsonl").read_bytes()


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
    found = summaries(load.records, began, ended)
    assert set(found) == {ALL, *CLIENTS}
    # Nothing listens: refused at once, but by clients that ask again until something does.
    refused = [one for one in of_clients(load.records) if "connection refused" in one.error]
    assert {one.kind for one in refused} == set(CLIENTS) - {"next"}
    assert {one.status for one in refused} == {0}
    assert found["fresh"].failed > 0
    assert all(one.stall >= away - began for one in found.values())
    assert found[ALL].stall <= min(one.stall for one in found.values())
    _, end = window(load.records)
    assert all(one.ok for one in of_clients(load.records) if one.start > ended), end
    # Both watches broke, and went on after what they had seen.
    broken = [one for one in load.records if one.op == "watch-end" and one.error]
    assert {one.client for one in broken} == {f"watch-{number}" for number in range(WATCHERS)}
    assert load.verdict.linearizable


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
    assert load.verdict is None
    size = history.stat().st_size
    time.sleep(0.5)
    assert history.stat().st_size == size
