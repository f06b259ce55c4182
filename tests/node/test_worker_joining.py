"""Why a worker is not joined: the first step that lacks, in words that say who mends it."""

import json
import re
from datetime import UTC, datetime

import pytest

from node.worker import joining, worker_report
from node.worker.joining import fate, last_error, not_ready
from tests.node.doubles import FakeMachine
from tests.node.worker_node import NODE, api_server, certify, installed, request

TOKEN = "abcdef.0123456789abcdef"
READY = {"status": {"conditions": [{"type": "Ready", "status": "True", "message": "fine"}]}}


@pytest.fixture
def cluster(authority):
    with api_server(authority) as cluster:
        cluster.tokens.add(TOKEN)
        yield cluster


@pytest.fixture
def worker(node, aws, root, authority, cluster):
    return installed(node, root, authority, cluster.url)


@pytest.fixture
def token(worker, root):
    """The join token is here."""
    user = {"users": [{"name": "bootstrap", "user": {"token": TOKEN}}]}
    path = root / "etc/kubernetes/bootstrap-kubelet.conf"
    path.write_text(json.dumps(user))
    return path


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine whose kubelet runs and has written to the journal."""
    tool = tmp_path / "tools" / "journalctl"
    tool.parent.mkdir(exist_ok=True)
    tool.write_text(
        "#!/bin/sh\ncat <<E\nI1129 x] fine\nE1129 12:00:00.1 1 a.go:1] no containerd\nE\n"
    )
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tool.parent), prepend=":")
    machine = FakeMachine()
    machine.running.add("kubelet.service")
    return machine


def report(root, settings, machine):
    said = worker_report.run(settings, machine)
    status = json.loads((root / "run/ha-kubernetes/worker.json").read_text())
    assert said == f"{status['state']}: {status['reason']}".removesuffix(": ")
    assert (datetime.now(UTC) - datetime.fromisoformat(status["time"])).total_seconds() < 60
    assert (status["pool"], status["node"]) == ("blue", NODE)
    return status["state"], status["reason"]


def test_a_worker_is_joined_once_its_node_is_ready(worker, cluster, root, authority, machine):
    certify(root, authority)
    cluster.node = READY
    state, reason = report(root, worker, machine)
    assert state == "joined"
    assert reason.startswith("kubelet has no serving certificate yet, so logs and exec")
    (root / "var/lib/kubelet/pki/kubelet-server-current.pem").write_text("x")
    assert report(root, worker, machine) == ("joined", "")


def test_a_certificate_that_kubelet_should_have_renewed_is_told(
    worker, cluster, root, authority, machine
):
    cluster.node = READY
    (root / "var/lib/kubelet/pki").mkdir(parents=True)
    (root / "var/lib/kubelet/pki/kubelet-server-current.pem").write_text("x")
    # Between 70 and 90 % of its life it may still be about to be.
    certify(root, authority, days=1.5, starts=-12.5)
    assert report(root, worker, machine) == ("joined", "")
    certify(root, authority, days=1, starts=-13)
    state, reason = report(root, worker, machine)
    assert state == "joined"
    assert re.match(r"kubelet's certificate ends in 2[34] h and is not renewed: ", reason)
    (root / "var/lib/kubelet/pki/kubelet-server-current.pem").unlink()
    both = report(root, worker, machine)[1]
    assert "not renewed; kubelet has no serving certificate yet, so logs and exec" in both


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (None, f"there is no Node {NODE}: kubelet says: no containerd"),
        ({}, "kubelet has not reported how the Node is"),
        (
            {"status": {"conditions": [{"type": "Ready", "status": "False", "message": "no CNI"}]}},
            "the Node is not ready: no CNI",
        ),
    ],
)
def test_a_certificate_alone_is_not_enough(request, found, reason):
    worker, cluster, root, authority, machine = map(
        request.getfixturevalue, ("worker", "cluster", "root", "authority", "machine")
    )
    certify(root, authority)
    cluster.node = found
    assert report(root, worker, machine) == ("joining", reason)


def test_without_an_api_server_nobody_knows(worker, cluster, root, authority, machine):
    certify(root, authority)
    cluster.down = 503
    state, reason = report(root, worker, machine)
    assert state == "joining"
    assert reason.startswith("the API server answered 503: etcd is away: the control plane is down")


def test_no_token(worker, root, machine):
    assert report(root, worker, machine) == (
        "joining",
        "no join token: nobody has asked for it: ha-node reconcile",
    )


def test_why_there_is_no_token(worker, root, machine):
    (root / "run/ha-kubernetes").mkdir(parents=True)
    (root / "run/ha-kubernetes/join-token").write_text("AWS: AccessDenied")
    assert report(root, worker, machine) == ("joining", "no join token: AWS: AccessDenied")


def test_a_token_that_is_not_accepted(worker, cluster, root, machine, token):
    cluster.tokens.clear()
    reason = report(root, worker, machine)[1]
    assert reason.startswith("the API server does not accept the join token")
    assert TOKEN not in reason


def test_a_request_that_waits(worker, cluster, root, machine, token):
    cluster.requests = [request("csr-1")]
    assert report(root, worker, machine)[1] == (
        "the certificate request csr-1 of 2026-11-29T12:00:00Z waits for approval by "
        "ha-cluster-agent.service on the API servers"
    )


def test_a_kubelet_that_does_not_ask(worker, cluster, root, machine, token):
    cluster.requests = [request("csr-1", node="ip-10-0-224-5.eu-central-1.compute.internal")]
    assert report(root, worker, machine) == ("joining", "kubelet says: no containerd")
    machine.running.clear()
    assert report(root, worker, machine) == (
        "joining",
        "kubelet.service does not run: systemctl status kubelet.service",
    )


def test_requests_that_nobody_may_see(worker, cluster, root, machine, token):
    cluster.secretive = True
    assert report(root, worker, machine)[1] == (
        "kubelet has no certificate, and nobody may see why: kubelet says: no containerd"
    )


def test_without_a_ca_nobody_is_asked(worker, cluster, root, machine):
    (worker.pki / "ca.crt").unlink()
    assert "ca.crt cannot be used" in report(root, worker, machine)[1]
    assert cluster.asked == []


def test_a_drain_is_reported_as_such(worker, root, machine):
    (root / "run/ha-kubernetes").mkdir(parents=True)
    state = root / "run/ha-kubernetes/drain.json"
    state.write_text('{"since": 1.0, "said": "", "ended": false, "told": false}')
    assert report(root, worker, machine) == ("draining", "evicting the pods")
    state.write_text('{"since": 1.0, "said": "default/web-0 stays: x"}')
    assert report(root, worker, machine) == ("draining", "default/web-0 stays: x")


def test_a_machine_that_is_not_prepared_says_so(worker, root, machine):
    (root / "etc/ha-kubernetes/node.env").unlink()
    said = worker_report.run(worker, machine)
    assert said == "joining: this machine is not prepared: journalctl -u node-prepare"
    assert json.loads((root / "run/ha-kubernetes/worker.json").read_text())["node"] is None


def conditions(*types, **status):
    return {"conditions": [{"type": one, "message": f"{one} it was"} for one in types], **status}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({}, "waits for approval"),
        (conditions("Denied"), "the certificate request csr-1 was denied: Denied it was"),
        (conditions("Approved", "Denied"), "was denied"),
        (conditions("Failed"), "failed: Failed it was"),
        (conditions("Approved"), "is approved; kube-controller-manager signs it"),
        (conditions("Approved", certificate="x"), "is ready, and kubelet fetches it"),
        ({"conditions": [{"type": "Denied"}]}, "was denied: no reason given"),
    ],
)
def test_the_fate_of_a_request(status, said):
    assert said in fate([request("csr-1", **status)], NODE)


def test_the_last_request_counts_and_no_other_node():
    first = request("csr-1", **conditions("Denied"))
    last = request("csr-2")
    last["metadata"]["creationTimestamp"] = "2026-11-29T12:05:00Z"
    assert "csr-2" in fate([last, first], NODE)
    assert fate([first, last], f"x{NODE}") == ""
    serving = request("csr-3")
    serving["spec"]["signerName"] = "kubernetes.io/kubelet-serving"
    assert fate([serving], NODE) == ""
    damaged = request("csr-4")
    damaged["spec"]["request"] = "%"
    assert fate([damaged], NODE) == ""


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ([], "kubelet has not reported how the Node is"),
        ([{"type": "Ready", "status": "True"}], ""),
        ([{"type": "Ready", "status": "Unknown", "reason": "Gone"}], "the Node is not ready: Gone"),
    ],
)
def test_a_node_is_ready_or_says_why_not(conditions, said):
    assert not_ready({"status": {"conditions": conditions}}) == said


def test_the_last_error_of_a_journal():
    assert last_error([]) == ""
    assert last_error(["I1129 12:00:00.1 1 a.go:1] fine", "Started kubelet.service"]) == ""
    lines = ["E1129 12:00:00.1 1 a.go:1] first", "E1129 12:00:00.2 1 a.go:1] second", "I1129 x] y"]
    assert last_error(lines) == "second"
    assert last_error(["F1129 12:00:00.1 1 a.go:1] " + "x" * 1000]) == "x" * 300


def test_a_kubelet_without_complaints(worker, machine, tmp_path):
    (tmp_path / "tools" / "journalctl").write_text("#!/bin/sh\n")
    assert joining._kubelet(machine) == (
        "kubelet starts, and has not complained: journalctl -u kubelet.service"
    )
    (tmp_path / "tools" / "journalctl").write_text("#!/bin/sh\nexit 1\n")
    assert joining._kubelet(machine).startswith("nobody knows how kubelet is: journalctl failed")
