"""What the proofs of workers judge by: machines and their nodes, pods, the steps of a loss, the client
of a Service, the webhook's objects, requests for certificates."""

import base64
import json
import ssl
import subprocess
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import ClassVar

import pytest
from cryptography import x509

from lab.machines import requirements
from lab.machines.host_programs import run
from lab.machines.network import namespaces
from lab.proofs import example_application as applications
from lab.proofs import service_client, test_4_workers
from lab.proofs.example_application import Application
from lab.proofs.joined_workers import Worker, _problem, condition, instance_of, pair
from lab.proofs.kubelet_certificate_requests import SERVING, CertificateRequest, Requester
from lab.proofs.pods import Pod, pod, within_network
from lab.proofs.polling import until, until_none
from lab.proofs.service_client import ServiceClient
from lab.proofs.tls import Answer
from lab.proofs.webhook import certificate, documents
from lab.proofs.worker_loss import STEPS, View, reached
from lab.running.node_names import Node


def node(name: str, instance_id: str, ready: str = "True", **spec) -> dict:
    return {
        "metadata": {"name": name},
        "spec": {"providerID": f"aws:///eu-central-1a/{instance_id}", **spec},
        "status": {"conditions": [{"type": "Ready", "status": ready, "message": "because"}]},
    }


def replica(name: str, where: str = "", *, ready: bool = True, deleting: bool = False) -> Pod:
    return Pod(name, f"uid-{name}", where, "10.0.0.9", ready, deleting)


def test_machines_are_known_to_kubernetes_by_their_instance_ids(instance):
    machine = Node("workers-default", replace(instance, id="i-0a"))
    nodes = [node("ip-1", "i-0b"), node("ip-2", "i-0a"), {"metadata": {}, "spec": {}}]
    assert pair([machine], nodes) == [Worker(machine, nodes[1])]
    assert pair([machine], nodes)[0].name == "ip-2"
    assert pair([machine], []) == []
    assert instance_of({"spec": {}}) == ""


def test_what_a_worker_lacks_is_told(instance):
    machine = Node("workers-default", instance)
    assert _problem(None) == "has no node"
    assert _problem(Worker(machine, node("n", "i-0a"))) == ""
    assert _problem(Worker(machine, node("n", "i-0a", unschedulable=True))) == "is cordoned"
    assert "because" in _problem(Worker(machine, node("n", "i-0a", "Unknown")))
    assert "is not ready" in _problem(Worker(machine, {"metadata": {}, "spec": {}}))


def test_a_pod_that_ends_serves_no_more():
    document = {
        "metadata": {"name": "web-1", "uid": "u"},
        "spec": {"nodeName": "ip-1"},
        "status": {"podIP": "10.0.1.2", "conditions": [{"type": "Ready", "status": "True"}]},
    }
    assert pod(document) == Pod("web-1", "u", "ip-1", "10.0.1.2", ready=True, deleting=False)
    assert pod(document).serves
    document["metadata"]["deletionTimestamp"] = "2026-11-29T13:00:00Z"
    assert not pod(document).serves
    assert not pod({"metadata": {"name": "a", "uid": "b"}, "spec": {}}).ready
    assert condition({"status": {"conditions": None}}, "Ready") == {}


def slices(**ready: bool) -> list[dict]:
    return [
        {"endpoints": [{"nodeName": n, "conditions": {"ready": r}} for n, r in ready.items()]},
        {"endpoints": None},
    ]


BEFORE = ["uid-a", "uid-b"]
LOSS = [
    (View(node("w", "i"), slices(w=True), [replica("a", "w"), replica("b", "w")]), set()),
    (
        View(node("w", "i", "Unknown"), slices(w=True), [replica("a", "w"), replica("b", "w")]),
        {"dead"},
    ),
    (
        View(node("w", "i", "Unknown"), slices(w=False, v=True), [replica("a", "w", ready=False)]),
        {"dead", "left"},
    ),
    (
        View(
            node("w", "i", "Unknown"),
            slices(v=True),
            [replica("a", "w", ready=False, deleting=True), replica("c", ready=False)],
        ),
        {"dead", "left", "evicted"},
    ),
    (
        View(
            node("w", "i", "Unknown"),
            slices(v=True),
            [replica("c", "v", ready=False), replica("d", "v")],
        ),
        {"dead", "left", "evicted", "scheduled"},
    ),
    (
        View(node("w", "i", "Unknown"), slices(v=True), [replica("c", "v"), replica("d", "v")]),
        set(STEPS),
    ),
]


@pytest.mark.parametrize(("view", "steps"), LOSS)
def test_steps_of_a_loss_are_seen_one_after_the_other(view, steps):
    assert reached(view, "w", BEFORE, 2) == steps


def test_a_pod_that_another_worker_ends_is_no_replacement():
    pods = [replica("c", "v"), replica("d", "v", deleting=True)]
    view = View(node("w", "i", "Unknown"), slices(v=True), pods)
    assert "answering" not in reached(view, "w", BEFORE, 2)
    assert "scheduled" not in reached(view, "w", BEFORE, 2)


def test_an_application_says_what_it_lacks(monkeypatch):
    found = [replica("a", "w"), replica("b", ready=False), replica("c", "w", deleting=True)]
    monkeypatch.setattr(applications, "pods", lambda *_: found)
    web = Application(None, "space", 2, "10.96.1.1")
    assert web.lacking() == [
        "1 of 2 replicas serve",
        "b on no node is not ready",
        "c on w is ending",
    ]
    found[1] = replica("b", "v")
    assert web.lacking() == []
    monkeypatch.setattr(applications, "pods", lambda *_: None)
    assert web.lacking() == ["the API does not answer"]
    with pytest.raises(AssertionError, match="does not answer"):
        web.pods()


def test_until_none_tells_what_is_left():
    left = [["a"], ["a", "b"], []]
    until_none("all is there", lambda: left.pop(0), 5)
    with pytest.raises(AssertionError, match=r"in vain: all is there: a; b"):
        until_none("all is there", lambda: ["a", "b"], 0)


class Replica(BaseHTTPRequestHandler):
    statuses: ClassVar[list[int]] = []

    def do_GET(self):
        self.send_response(self.statuses.pop(0) if self.statuses else 200)
        self.send_header("Content-Length", "1")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *_):
        pass


@pytest.fixture
def service(monkeypatch):
    """A Service at a loopback address, asked from here."""
    monkeypatch.setattr(service_client.namespaces, "inside", lambda _, action: action())
    monkeypatch.setattr(ServiceClient, "pause", 0.001)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Replica)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_request_is_answered_when_one_of_its_tries_is(service):
    Replica.statuses = [503, 500, 200]
    client = ServiceClient("ns", *service.server_address)
    client._step()
    assert client.answered == 1
    assert [one.error for one in client.failed] == ["status 503", "status 500"]
    assert len(client.tries) == 3
    assert client.unanswered == []
    assert client.longest > 0


def test_a_service_that_nobody_answers_for_is_found(service, monkeypatch):
    monkeypatch.setattr(service_client, "PATIENCE", 0.05)
    port = service.server_address[1]
    service.shutdown()
    service.server_close()
    began = time.time()
    with ServiceClient("ns", "127.0.0.1", port) as client:
        until("a request is given up", lambda: client.unanswered, 10)
    assert client.answered == 0
    assert client.unanswered[0].at >= began
    assert "ConnectionRefused" in client.unanswered[0].error


def test_the_webhooks_certificate_is_good_for_its_service():
    identity = certificate("hook.space.svc")
    found = x509.load_pem_x509_certificate(identity.certificate.encode())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hook.space.svc"]
    # OpenSSL takes it for the authority of itself, as the API server does.
    ssl.create_default_context(cadata=identity.certificate)
    made = documents("space", "image:1")
    assert made[-1]["kind"] == "MutatingWebhookConfiguration"
    (asked,) = made[-1]["webhooks"]
    assert asked["failurePolicy"] == "Fail"
    assert base64.b64decode(asked["clientConfig"]["caBundle"]).startswith(b"-----BEGIN CERT")
    json.dumps(made)


def test_a_certificate_request_says_what_is_asked_for():
    request = CertificateRequest(
        "system:node:a", signer=SERVING, dns_names=["a", "b"], addresses=["10.0.0.7"]
    )
    spec = request.document["spec"]
    assert spec["usages"] == ["digital signature", "server auth"]
    request = x509.load_pem_x509_csr(base64.b64decode(spec["request"]))
    assert request.subject.rfc4514_string() == "O=system:nodes,CN=system:node:a"
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["a", "b"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["10.0.0.7"]
    plain = CertificateRequest("somebody", None).document["spec"]["request"]
    assert list(x509.load_pem_x509_csr(base64.b64decode(plain)).extensions) == []


def test_a_requester_shows_its_token_and_learns_what_is_not_taken():
    asked = []

    def ask(path, identity, *, method, body, headers):
        asked.append((path, identity, method, headers.get("Authorization")))
        request = x509.load_pem_x509_csr(base64.b64decode(json.loads(body)["spec"]["request"]))
        status = 403 if "masters" in request.subject.rfc4514_string() else 201
        return Answer(status, json.dumps({"metadata": {"name": "csr-1"}}))

    thief = Requester(SimpleNamespace(ask=ask), token="a.b")
    assert thief.request(CertificateRequest("x")) == "csr-1"
    assert asked[0][2:] == ("POST", "Bearer a.b")
    assert thief.request(CertificateRequest("masters")) is None


@pytest.fixture
def somewhere():
    """A network of its own with an address, as a pod has one."""
    if reason := requirements.problem():
        pytest.skip(reason)
    name = "proof-pod-network"
    namespaces.delete(name)
    namespaces.create(name)
    run("ip", "-n", name, "link", "set", "lo", "up")
    run("ip", "-n", name, "address", "add", "10.99.9.9/32", "dev", "lo")
    yield "10.99.9.9"
    namespaces.delete(name)


@pytest.mark.daemons
def test_a_program_runs_in_the_network_of_the_pod_with_an_address(somewhere):
    class Here:
        def within(self, _, *words):
            return subprocess.run(words, capture_output=True, text=True, check=True).stdout

    endpoints = json.dumps([[somewhere, 80], ["192.0.2.1", 80]])
    words = ("python3", "-I", "-c", test_4_workers._PORTS, endpoints)
    assert json.loads(within_network(Here(), None, somewhere, *words)) == [[somewhere, 80]]
    with pytest.raises(subprocess.CalledProcessError) as failed:
        within_network(Here(), None, "10.99.9.8", "true")
    assert "no pod here has the address 10.99.9.8" in failed.value.stderr
