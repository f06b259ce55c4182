"""What a worker may do at a real API server: what its agent relies on, and no more."""

import base64
import json
from contextlib import closing
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from node.cluster.local_api import Api
from node.contract import STRANDED_ANNOTATION
from node.worker import drain, drain_plan, joining
from node.worker.kubelet_client import KubernetesApi, RefusedError, trust
from node.worker.termination import Termination
from tests.node.controlplane import ControlPlane
from tests.node.daemons import wait_until
from tests.node.doubles import FakeMachine
from tests.node.worker_node import ENVIRONMENT, NODE, changes

OTHER = "ip-10-0-224-5.eu-central-1.compute.internal"
PODS = "/api/v1/namespaces/default/pods"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
CSRS = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
UNHOOKED = Termination(hooked=False, at=datetime(2126, 1, 1, tzinfo=UTC))


@pytest.fixture(scope="module")
def plane(tmp_path_factory, etcd_binaries, kubernetes_binaries):
    """An API server over one member of etcd; no controller and no kubelet runs."""
    plane = ControlPlane(tmp_path_factory.mktemp("plane"), etcd_binaries, kubernetes_binaries)
    try:
        plane.form(1)
        plane.running_server(0)
        yield plane
    finally:
        plane.close()


@pytest.fixture(scope="module")
def url(plane):
    return f"https://{plane.servers[0].address}:6443"


@pytest.fixture(scope="module")
def admin(plane, url):
    with closing(KubernetesApi(url, plane.client("admin", "system:masters"))) as api:
        account = {"metadata": {"name": "default"}}
        api.post("/api/v1/namespaces/default/serviceaccounts", account)
        for name in (NODE, OTHER):
            api.post("/api/v1/nodes", {"metadata": {"name": name}})
        yield api


@pytest.fixture
def worker(node, root, plane, url, monkeypatch):
    """The worker, and the certificate of its kubelet."""
    monkeypatch.setattr(drain, "PAUSE_SECONDS", 0.2)
    settings = node("test-workers-blue", **changes(url))
    settings.pki.mkdir(parents=True)
    (settings.pki / "ca.crt").write_text(plane.keys.kubernetes.pair.certificate)
    (root / "etc/ha-kubernetes/node.env").write_text(ENVIRONMENT)
    pair = plane.keys.kubernetes.leaf(f"system:node:{NODE}", group="system:nodes")
    path = root / "var/lib/kubelet/pki/kubelet-client-current.pem"
    path.parent.mkdir(parents=True)
    path.write_text(pair.certificate + pair.key)
    return settings


def start(admin, name, node=NODE, **meta):
    """A pod that no kubelet runs, so that it is gone as soon as it is evicted."""
    pod = {
        "metadata": {"name": name, "labels": {"app": name}, **meta},
        "spec": {
            "nodeName": node,
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": "one", "image": "registry.test/one"}],
        },
    }
    admin.post(PODS, pod)
    # A pending pod is evicted whatever its budget says.
    ready = {"type": "Ready", "status": "True"}
    status = {"phase": "Running", "conditions": [ready]}
    admin.patch(f"{PODS}/{name}/status", {"status": status})


def names(admin):
    return {one["metadata"]["name"] for one in admin.get(PODS)["items"]}


def budget(admin, name, allowed):
    """A budget in the state that its controller would have given it."""
    spec = {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}}
    made = admin.post(BUDGETS, {"metadata": {"name": name}, "spec": spec})
    status = {
        "observedGeneration": made["metadata"]["generation"],
        "disruptionsAllowed": allowed,
        "currentHealthy": 1,
        "desiredHealthy": 1,
        "expectedPods": 1,
    }
    admin.patch(f"{BUDGETS}/{name}/status", {"status": status})


def run(worker):
    return drain.run(worker, worker.worker, UNHOOKED)


def test_a_kubelet_may_drain_its_own_node(worker, admin):
    start(admin, "mine")
    start(admin, "theirs", OTHER)
    owner = {"apiVersion": "apps/v1", "kind": "DaemonSet", "name": "a", "uid": "u"}
    start(admin, "agent", ownerReferences=[{**owner, "controller": True}])
    assert run(worker) == f"drained {NODE}: all pods have left"
    assert {"theirs", "agent"} <= names(admin)
    assert "mine" not in names(admin)
    assert admin.get(f"/api/v1/nodes/{NODE}")["spec"]["unschedulable"] is True
    assert "unschedulable" not in admin.get(f"/api/v1/nodes/{OTHER}")["spec"]


def test_a_budget_is_respected_and_named(worker, admin, monkeypatch):
    monkeypatch.setattr(drain_plan, "LIMIT_SECONDS", 1)
    start(admin, "kept")
    start(admin, "free")
    budget(admin, "kept", 0)
    budget(admin, "free", 1)
    said = run(worker)
    assert said.startswith(f"drained {NODE}: gave up after ")
    assert "default/kept stays: Cannot evict pod as it would violate" in said
    assert "The disruption budget kept needs 1 healthy pods and has 1 currently" in said
    assert "kept" in names(admin)
    assert "free" not in names(admin)


def test_a_worker_is_told_on_its_own_node_that_there_is_no_other(worker, admin, plane, monkeypatch):
    """By the cluster agent's own request."""
    server = plane.servers[0]
    monkeypatch.setattr("node.cluster.local_api.ADDRESS", server.address)
    pair = plane.keys.kubernetes.leaf("ha-kubernetes:cluster-agent", group="system:masters")
    pki = server.inside("/etc/kubernetes/pki")
    (pki / "cluster-agent.crt").write_text(pair.certificate)
    (pki / "cluster-agent.key").write_text(pair.key)
    path = f"/api/v1/nodes/{NODE}"
    uid = admin.get(path)["metadata"]["uid"]
    agent = Api(pki)
    agent.annotate(path, uid, STRANDED_ANNOTATION, "true")
    # The next of its name is not told, and none is made of that name.
    agent.annotate(path, "another", STRANDED_ANNOTATION, None)
    agent.annotate("/api/v1/nodes/none", uid, STRANDED_ANNOTATION, "true")
    start(admin, "stranded")
    budget(admin, "stranded", 0)
    said = run(worker)
    assert "gave up, since no other node takes pods: " in said
    assert "default/stranded stays" in said
    agent.annotate(path, uid, STRANDED_ANNOTATION, None)
    assert STRANDED_ANNOTATION not in admin.get(path)["metadata"].get("annotations", {})


def test_a_kubelet_may_touch_no_other_node(worker, admin, plane, url):
    start(admin, "foreign", OTHER)
    kubelet = plane.client(f"system:node:{NODE}", "system:nodes")
    cordon = {"spec": {"unschedulable": True}}
    eviction = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": "foreign", "namespace": "default"},
    }
    taint = {"spec": {"taints": [{"key": "x", "effect": "NoExecute"}]}}
    with closing(KubernetesApi(url, kubelet)) as api:
        for ask in (
            lambda: api.patch(f"/api/v1/nodes/{OTHER}", cordon),
            lambda: api.post(f"{PODS}/foreign/eviction", eviction),
            lambda: api.get(f"/api/v1/pods?fieldSelector=spec.nodeName%3D{OTHER}"),
            lambda: api.get("/api/v1/pods"),
            lambda: api.get("/api/v1/nodes"),
            # Not its own taints either: it could attract what was kept away from it.
            lambda: api.patch(f"/api/v1/nodes/{NODE}", taint),
        ):
            with pytest.raises(RefusedError) as refused:
                ask()
            assert refused.value.status == 403


def test_a_node_says_whether_it_is_ready(worker, admin):
    me = drain.identity.insist()
    machine = FakeMachine()
    said = joining.why_not(worker, worker.worker, me, machine)
    assert said == "kubelet has not reported how the Node is"
    condition = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready"}
    admin.patch(f"/api/v1/nodes/{NODE}/status", {"status": {"conditions": [condition]}})
    assert joining.why_not(worker, worker.worker, me, machine) == ""
    admin.patch(
        f"/api/v1/nodes/{NODE}/status",
        {"status": {"conditions": [{**condition, "status": "Unknown", "message": "gone"}]}},
    )
    assert joining.why_not(worker, worker.worker, me, machine) == "the Node is not ready: gone"


def test_a_request_is_found_by_the_name_in_it(worker, admin):
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "system:nodes"),
            x509.NameAttribute(NameOID.COMMON_NAME, f"system:node:{NODE}"),
        ]
    )
    key = ec.generate_private_key(ec.SECP256R1())
    pem = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    request = {
        "metadata": {"name": "csr-1"},
        "spec": {
            "request": base64.b64encode(pem.public_bytes(Encoding.PEM)).decode(),
            "signerName": joining.CLIENT_SIGNER,
            "usages": ["client auth", "digital signature"],
        },
    }
    made = admin.post(CSRS, request)
    found = admin.get(joining.REQUESTS)["items"]
    assert joining.fate(found, NODE).startswith("the certificate request csr-1 of ")
    assert joining.fate(found, OTHER) == ""
    denied = {"type": "Denied", "status": "True", "reason": "No", "message": "no such instance"}
    made["status"] = {"conditions": [denied]}
    admin.patch(f"{CSRS}/csr-1/approval", json.loads(json.dumps(made)))
    assert joining.fate(admin.get(joining.REQUESTS)["items"], NODE) == (
        "the certificate request csr-1 was denied: no such instance"
    )


def test_a_join_token_reads_requests_and_nothing_else(worker, admin, url):
    token = "abcdef.0123456789abcdef"
    with closing(KubernetesApi(url, trust(worker))) as api:
        assert api.get("/readyz") == "ok"
        with pytest.raises(RefusedError, match="401"):
            api.get(joining.REQUESTS)
    with closing(KubernetesApi(url, trust(worker), token)) as api:
        with pytest.raises(RefusedError, match="401"):
            api.get(joining.REQUESTS)
        secret = {
            "metadata": {"name": "bootstrap-token-abcdef"},
            "type": "bootstrap.kubernetes.io/token",
            "stringData": {
                "token-id": "abcdef",
                "token-secret": "0123456789abcdef",
                "usage-bootstrap-authentication": "true",
                "auth-extra-groups": "system:bootstrappers:ha-kubernetes",
            },
        }
        admin.post("/api/v1/namespaces/kube-system/secrets", secret)
        binding = {
            "metadata": {"name": "bootstrappers"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:node-bootstrapper",
            },
            "subjects": [{"kind": "Group", "name": "system:bootstrappers:ha-kubernetes"}],
        }
        admin.post("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", binding)

        def listed():
            try:
                return "items" in api.get(joining.REQUESTS)
            except RefusedError:
                return False

        wait_until(listed, "the API server has seen the token")
        for path in ("/api/v1/nodes", "/api/v1/pods", "/api/v1/namespaces/kube-system/secrets"):
            with pytest.raises(RefusedError, match="403"):
                api.get(path)
