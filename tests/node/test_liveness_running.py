"""The watchdog in front of a real API server whose etcd is full, is gone, and that hangs itself."""

import signal

import pytest

from node.api import liveness
from node.errors import NodeError
from tests.node.controlplane import ControlPlane
from tests.node.daemons import wait_until


@pytest.fixture
def plane(tmp_path, etcd_binaries, kubernetes_binaries):
    plane = ControlPlane(tmp_path, etcd_binaries, kubernetes_binaries)
    yield plane
    plane.close()


def alarm(member, action):
    """Switch the alarm of a full database on or off, which etcd itself does at its quota."""
    body = {"action": action, "memberID": 1, "alarm": "NOSPACE"}
    member.gateway().ask("/v3/maintenance/alarm", body)


def test_only_a_server_that_hangs_is_dead(plane, monkeypatch):
    (member,) = plane.form(1)
    server = plane.running_server()
    monkeypatch.setattr(liveness, "HOST", server.address)
    monkeypatch.setattr(liveness, "TIMEOUT_SECONDS", 5.0)
    admin = plane.client("admin", "system:masters")

    assert liveness.death() == ""
    alarm(member, "ACTIVATE")
    with pytest.raises(NodeError):
        server.call(admin, "PUT", "/api/v1/namespaces/default", _changed(server, admin))
    assert liveness.death() == ""

    # One that starts now cannot write what it wants to.
    server.daemons["kube-apiserver"].end(signal.SIGKILL)
    daemon = server.start_api(member.member.client_url)

    def answers():
        try:
            return liveness.death() == ""
        except NodeError:
            return False

    wait_until(answers, "the API server answers", daemon)
    alarm(member, "DEACTIVATE")

    # Without etcd.
    member.daemons["etcd"].process.send_signal(signal.SIGSTOP)
    assert liveness.death() == ""
    member.daemons["etcd"].process.send_signal(signal.SIGCONT)

    server.daemons["kube-apiserver"].process.send_signal(signal.SIGSTOP)
    assert liveness.death() == "no answer within 5 s"
    server.daemons["kube-apiserver"].end()
    assert liveness.death() == "nobody listens on port 6443"


def _changed(server, admin):
    found = server.call(admin, "GET", "/api/v1/namespaces/default")
    return {**found, "metadata": {**found["metadata"], "labels": {"a": "b"}}}
