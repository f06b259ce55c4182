"""The cluster agent at a real control plane: workers join, objects are kept, replicas spread.

There is no kubelet: a worker is its instance at moto, its certificates and its Node.
"""

import base64
import json
import ssl
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from ipaddress import ip_address
from urllib.parse import urlencode

import boto3
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from config import check
from node.api.lease import PATH as LEASES
from node.api.lease import held_on
from node.cluster import local_api as api_module
from node.cluster.agent import NODES_INTERVAL, Agent
from node.cluster.applying import AGAIN
from node.cluster.kubelet_requests import NODES, PATH
from node.cluster.labels import LABELS
from node.cluster.worker_instances import Ec2
from node.contract import CLUSTER_TAG, POOL_LABEL, POOL_TAG
from node.settings import PKI, parse
from tests.node import controlplane
from tests.node.certificate_requests import kubelet_subject, pem
from tests.node.conftest import REGION, document
from tests.node.controlplane import LEADERS, ControlPlane
from tests.node.daemons import wait_until

SETTINGS = check(
    {
        "etcd": {"quotaGib": 1},
        "api": {"shutdownDelay": "1s"},
        "workers": {"general": {"min": 1}},
        # Nobody renews the leases of these workers.
        "eviction": {"nodeMonitorGrace": "10m"},
    },
    stack="test",
)
PARAMETERS = {"joinToken": "/test/workers/join-token", "cluster": "/test/cluster"}
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
DEPLOYMENT = "/apis/apps/v1/namespaces/kube-system/deployments/coredns"
CONFIG_MAPS = "/api/v1/namespaces/kube-system/configmaps"
IMAGE = "registry.example/coredns:v"
MERGE = "application/strategic-merge-patch+json"
"""By which a list's items are known by their names, as kubectl sends it."""


@pytest.fixture(scope="module")
def server(tmp_path_factory, etcd_binaries, kubernetes_binaries):
    """An API server with the flags of a cluster that has workers, and both leaders."""
    plane = ControlPlane(tmp_path_factory.mktemp("plane"), etcd_binaries, kubernetes_binaries)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(controlplane, "SETTINGS", SETTINGS)
        try:
            plane.form(1)
            server = plane.running_server()
            leaf = plane.keys.kubernetes.leaf("ha-kubernetes:cluster-agent", group="system:masters")
            server.write(f"{PKI['api']}/cluster-agent.crt", leaf.certificate)
            server.write(f"{PKI['api']}/cluster-agent.key", leaf.key)
            server.admin = plane.client("admin", "system:masters")
            leaders = [server.start_leader(name) for name in LEADERS]
            wait_until(
                lambda: all(held_on(server.hostname, lease(server, name)) for name in LEADERS),
                "both lead",
                *leaders,
            )
            server.certificate = plane.keys.kubernetes.pair.certificate
            yield server
        finally:
            plane.close()


def lease(server, name):
    status, found = ask(server, server.admin, "GET", LEASES + name)
    return found if status == 200 else {"spec": {}}


def ask(server, client, method, path, body=None, *, kind="application/json", **query):
    """Status and answer of a request; the client is a TLS context, or a token."""
    headers = {"Content-Type": kind}
    if isinstance(client, str):
        headers["Authorization"] = f"Bearer {client}"
        client = ssl.create_default_context(cadata=server.certificate)
    connection = HTTPSConnection(server.address, 6443, timeout=60, context=client)
    target = f"{path}?{urlencode(query)}" if query else path
    connection.request(method, target, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    try:
        return response.status, json.loads(response.read())
    finally:
        connection.close()


@pytest.fixture
def admin(server):
    """What a person does with kubectl."""

    def do(method, path, body=None, **given):
        status, answer = ask(server, server.admin, method, path, body, **given)
        # The controllers delete, too: what is gone meanwhile is deleted.
        assert status in {200, 201} or (method, status) == ("DELETE", 404), answer
        return answer

    return do


@pytest.fixture
def stack(aws):
    """What the stack wants; called again it wants another image."""
    key = boto3.client("kms", region_name=REGION).create_key()["KeyMetadata"]["Arn"]

    def write(version=1):
        wanted = {
            "clusterDns": "10.96.0.10",
            "clusterDomain": "cluster.local",
            "images": {"coredns": f"{IMAGE}{version}"},
            "key": key,
        }
        aws.put_parameter(
            Name=PARAMETERS["cluster"], Value=json.dumps(wanted), Type="String", Overwrite=True
        )

    write()
    return write


@pytest.fixture
def agent(server, stack, monkeypatch):
    """Make an agent of this machine; each begins as after a start."""
    monkeypatch.setenv("HA_NODE_ROOT", str(server.root))
    monkeypatch.setattr(api_module, "ADDRESS", server.address)
    settings = parse(document("api-0", parameters=PARAMETERS))

    def make():
        return Agent(settings, Ec2(REGION, "test"))

    return make


@pytest.fixture
def token(aws):
    """The token that workers find."""

    def read():
        answer = aws.get_parameter(Name=PARAMETERS["joinToken"], WithDecryption=True)
        return json.loads(answer["Parameter"]["Value"])["token"]

    return read


@pytest.fixture
def launch(aws):
    """Launch an instance of the pool."""

    def launch():
        tags = [{"Key": CLUSTER_TAG, "Value": "test"}, {"Key": POOL_TAG, "Value": "general"}]
        answer = boto3.client("ec2", region_name=REGION).run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
        )
        return answer["Instances"][0]

    return launch


class Kubelet:
    """What a kubelet does with the API server, and no more."""

    def __init__(self, server, instance, directory):
        self.server, self.directory = server, directory
        self.name = instance["PrivateDnsName"]
        self.address = instance["PrivateIpAddress"]
        zone = instance["Placement"]["AvailabilityZone"]
        self.provider_id = f"aws:///{zone}/{instance['InstanceId']}"
        self.key = ec.generate_private_key(ec.SECP256R1())

    def request(self, client, name, *, serving=False, names=None, subject=None):
        """Ask for a certificate; status and answer."""
        names = names or (x509.DNSName(self.name), x509.IPAddress(ip_address(self.address)))
        text = pem(subject or kubelet_subject(self.name), *(names if serving else ()), key=self.key)
        kind = "kubelet-serving" if serving else "kube-apiserver-client-kubelet"
        body = {
            "apiVersion": "certificates.k8s.io/v1",
            "kind": "CertificateSigningRequest",
            "metadata": {"name": name},
            "spec": {
                "request": base64.b64encode(text.encode()).decode(),
                "signerName": f"kubernetes.io/{kind}",
                "usages": ["digital signature", "server auth" if serving else "client auth"],
            },
        }
        return ask(self.server, client, "POST", PATH, body)

    def context(self, certificate):
        """A client with a certificate that it got."""
        encoded = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path = self.directory / f"{self.name}.pem"
        path.write_text(certificate + self.key.private_bytes(*encoded).decode())
        context = ssl.create_default_context(cadata=self.server.certificate)
        context.load_cert_chain(path)
        return context

    def node(self, zone="eu-central-1a"):
        return {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": self.name,
                "labels": {
                    POOL_LABEL: "general",
                    "kubernetes.io/hostname": self.name,
                    "kubernetes.io/os": "linux",
                    "topology.kubernetes.io/zone": zone,
                },
            },
            "spec": {"providerID": self.provider_id},
        }


@pytest.fixture
def kubelet(server, launch, tmp_path):
    def make():
        return Kubelet(server, launch(), tmp_path)

    return make


def conditions(admin, name):
    return {
        one["type"]: one.get("message", "")
        for one in admin("GET", f"{PATH}/{name}").get("status", {}).get("conditions", ())
    }


def issued(admin, name):
    """The certificate, once the controller-manager has signed it."""
    wait_until(
        lambda: "certificate" in admin("GET", f"{PATH}/{name}").get("status", {}), "it is signed"
    )
    return base64.b64decode(admin("GET", f"{PATH}/{name}")["status"]["certificate"]).decode()


@pytest.fixture(autouse=True)
def no_nodes(server, admin):
    """Every test begins without Nodes and requests."""
    yield
    for path in (NODES, PATH):
        admin("DELETE", path)


def test_a_worker_joins_and_serves(agent, admin, token, kubelet, server):
    acting, worker = agent(), kubelet()
    acting.round(0)
    assert worker.request(token(), "first")[0] == 201
    assert [line for line in acting.round(5) if line.startswith("approved first of ")]
    client = worker.context(issued(admin, "first"))

    assert ask(server, client, "POST", NODES, worker.node())[0] == 201
    assert worker.request(client, "serving", serving=True)[0] == 201
    acting.round(10)
    served = x509.load_pem_x509_certificate(issued(admin, "serving").encode())
    names = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == [worker.name]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address(worker.address)]

    # As every certificate, its next one is the agent's to approve, and good for days.
    assert worker.request(client, "renewed")[0] == 201
    (line,) = acting.round(15)
    assert line.startswith(f"approved renewed of {worker.name} for ")
    renewed = issued(admin, "renewed")
    assert 13.9 < days(renewed) <= 14
    assert days(issued(admin, "first")) == days(renewed)
    assert ask(server, worker.context(renewed), "GET", f"{NODES}/{worker.name}")[0] == 200


def days(certificate):
    found = x509.load_pem_x509_certificate(certificate.encode())
    return (found.not_valid_after_utc - found.not_valid_before_utc) / timedelta(days=1)


@pytest.fixture
def joined(admin, token, kubelet, server):
    """A worker that has joined, and a client with its certificate."""

    def make(acting):
        worker = kubelet()
        assert worker.request(token(), f"first-{worker.name}")[0] == 201
        acting.round(5)
        client = worker.context(issued(admin, f"first-{worker.name}"))
        assert ask(server, client, "POST", NODES, worker.node())[0] == 201
        return worker, client

    return make


def test_a_certificate_is_renewed_in_no_other_name_and_not_once_its_instance_has_ended(
    agent, admin, joined, aws
):
    acting = agent()
    acting.round(0)
    (worker, client), (other, its) = joined(acting), joined(acting)
    # The API server itself does not take this one (NodeRestriction).
    assert worker.request(client, "another", subject=kubelet_subject(other.name))[0] == 403
    instance = worker.provider_id.rpartition("/")[2]
    boto3.client("ec2", region_name=REGION).terminate_instances(InstanceIds=[instance])
    assert worker.request(client, "ended")[0] == 201
    assert any(line.startswith("waiting ended of ") for line in acting.round(15))
    # By nobody else either, though a later one has been signed.
    assert other.request(its, "witness")[0] == 201
    acting.round(20)
    issued(admin, "witness")
    assert admin("GET", f"{PATH}/ended").get("status", {}) == {}


def test_the_right_by_which_kubernetes_own_approver_renewed_is_taken_away(agent, admin, server):
    """As in a cluster whose agent applied it once."""
    role = "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient"
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "ha-kubernetes:node-renewal", "labels": dict(LABELS)},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "system:nodes"}
        ],
    }
    api_module.Api(server.inside(PKI["api"])).apply(binding)
    said = agent().round(0)
    assert (
        "deleted ClusterRoleBinding ha-kubernetes:node-renewal, which is no longer wanted" in said
    )
    bindings = admin("GET", BINDINGS)["items"]
    assert role not in {one["roleRef"]["name"] for one in bindings}


def test_what_a_token_may_not(agent, admin, token, kubelet, server):
    """Whoever stole it."""
    acting, worker = agent(), kubelet()
    acting.round(0)
    for path in (
        NODES,
        "/api/v1/namespaces/kube-system/secrets",
        "/api/v1/namespaces/kube-system/configmaps",
        "/api/v1/pods",
        "/api/v1/namespaces/kube-system/serviceaccounts",
    ):
        assert ask(server, token(), "GET", path)[0] == 403
    assert ask(server, token(), "POST", NODES, worker.node())[0] == 403
    masters = [(x509.NameOID.COMMON_NAME, "a"), (x509.NameOID.ORGANIZATION_NAME, "system:masters")]
    agents = [
        (x509.NameOID.COMMON_NAME, "ha-kubernetes:cluster-agent"),
        (x509.NameOID.ORGANIZATION_NAME, "system:nodes"),
    ]
    for name, subject in (("masters", masters), ("agents", agents)):
        assert worker.request(token(), name, subject=subject)[0] == 201
        request = admin("GET", f"{PATH}/{name}")
        approved = {"conditions": [{"type": "Approved", "status": "True", "reason": "a"}]}
        body = {**request, "status": approved}
        assert ask(server, token(), "PUT", f"{PATH}/{name}/approval", body)[0] == 403
    acting.round(5)
    for name in ("masters", "agents"):
        assert "another form" in conditions(admin, name)["Denied"]


def test_a_token_takes_no_nodes_place(agent, admin, token, kubelet):
    acting, worker = agent(), kubelet()
    acting.round(0)
    admin("POST", NODES, worker.node())
    assert worker.request(token(), "again")[0] == 201
    said = acting.round(5)
    assert "has joined already" in conditions(admin, "again")["Denied"]
    assert any(line.startswith("denied again of ") for line in said)
    # As the message says.
    admin("DELETE", f"{NODES}/{worker.name}")
    assert worker.request(token(), "deleted")[0] == 201
    acting.round(10)
    assert "Approved" in conditions(admin, "deleted")


def test_who_watches_and_asks_for_the_same_name_gets_nothing(agent, admin, token, kubelet, server):
    acting, worker = agent(), kubelet()
    acting.round(0)
    status, _ = ask(server, token(), "GET", PATH)
    assert status == 200
    worker.request(token(), "first")
    worker.key = ec.generate_private_key(ec.SECP256R1())
    worker.request(token(), "thief")
    acting.round(5)
    for name in ("first", "thief"):
        assert "look who holds the join token" in conditions(admin, name)["Denied"]
    # The kubelet asks again; the thief, who comes after the decision, is told from it.
    worker.key = ec.generate_private_key(ec.SECP256R1())
    worker.request(token(), "second")
    acting.round(10)
    issued(admin, "second")
    worker.key = ec.generate_private_key(ec.SECP256R1())
    worker.request(token(), "late")
    acting.round(15)
    assert "(second)" in conditions(admin, "late")["Denied"]


def test_names_of_requests_that_nobody_expects_stop_nothing(agent, admin, token, kubelet):
    acting, worker, other = agent(), kubelet(), kubelet()
    acting.round(0)
    assert worker.request(token(), "a b\n?é#")[0] == 201
    wide = [
        (x509.NameOID.ORGANIZATION_NAME, "system:nodes"),
        (x509.NameOID.COMMON_NAME, "system:node:*"),
    ]
    assert other.request(token(), "any", subject=wide)[0] == 201
    assert other.request(token(), "first")[0] == 201
    said = acting.round(5)
    assert "Approved" in conditions(admin, "first")
    assert any(line.startswith("approved a%20b%0A%3F%C3%A9%23 of ") for line in said)
    assert "no name that a Node has" in conditions(admin, "any")["Denied"]


def test_a_kubelet_serves_under_no_other_name(agent, admin, token, kubelet):
    acting, worker = agent(), kubelet()
    acting.round(0)
    worker.request(token(), "first")
    acting.round(5)
    client = worker.context(issued(admin, "first"))
    names = (x509.DNSName(worker.name), x509.IPAddress(ip_address("10.96.0.1")))
    assert worker.request(client, "wide", serving=True, names=names)[0] == 201
    acting.round(10)
    assert "10.96.0.1" in conditions(admin, "wide")["Denied"]


def test_a_name_that_was_used_before_is_free_once_its_instance_is_gone(
    agent, admin, token, kubelet, aws
):
    acting, worker = agent(), kubelet()
    acting.round(0)
    # An instance of before, which EC2 has forgotten, had this address.
    old = worker.node()
    old["spec"]["providerID"] = "aws:///eu-central-1a/i-0123456789abcdef0"
    admin("POST", NODES, old)
    worker.request(token(), "first")
    assert any(line.startswith("waiting first of ") for line in acting.round(5))
    acting.round(NODES_INTERVAL)
    said = acting.round(2 * NODES_INTERVAL)
    assert f"deleted Node {worker.name}: i-0123456789abcdef0 is gone" in said
    acting.round(2 * NODES_INTERVAL + 5)
    assert "Approved" in conditions(admin, "first")


OBJECTS = (
    DEPLOYMENT,
    f"{CONFIG_MAPS}/coredns",
    "/api/v1/namespaces/kube-system/services/kube-dns",
    "/api/v1/namespaces/kube-system/serviceaccounts/coredns",
    "/apis/policy/v1/namespaces/kube-system/poddisruptionbudgets/coredns",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:coredns",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/system:coredns",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings/ha-kubernetes:node-proxier",
)


def specified(admin, path):
    """What whoever applies has a say in."""
    found = admin("GET", path)
    kept = {key: value for key, value in found.items() if key not in {"metadata", "status"}}
    return {**kept, "labels": found["metadata"]["labels"], "uid": found["metadata"]["uid"]}


def test_to_apply_again_changes_nothing(agent, admin):
    agent().round(0)
    before = {path: specified(admin, path) for path in OBJECTS}
    generation = admin("GET", DEPLOYMENT)["metadata"]["generation"]
    # Another machine leads, and does not know what this one did.
    assert not any("took back" in line for line in agent().round(0))
    assert {path: specified(admin, path) for path in OBJECTS} == before
    assert admin("GET", DEPLOYMENT)["metadata"]["generation"] == generation


def test_what_is_ours_is_taken_back_and_what_is_a_persons_stays(agent, admin):
    acting = agent()
    acting.round(0)
    edited = {
        "metadata": {"labels": {"team": "dns"}, "annotations": {"note": "a person's"}},
        "spec": {
            "replicas": 7,
            "template": {
                "metadata": {"annotations": {"restarted": "today"}},
                "spec": {"containers": [{"name": "coredns", "env": [{"name": "A", "value": "1"}]}]},
            },
        },
    }
    patch = {"kind": MERGE, "fieldManager": "kubectl-edit"}
    admin("PATCH", DEPLOYMENT, edited, **patch)
    admin("PATCH", f"{CONFIG_MAPS}/coredns", {"data": {"Corefile": "", "own": "1"}}, **patch)
    assert acting.round(AGAIN - 1) == []
    said = acting.round(AGAIN)
    assert any("took back Deployment kube-system/coredns" in line for line in said)
    assert any("kubectl-edit" in line for line in said)

    found = admin("GET", DEPLOYMENT)
    assert found["spec"]["replicas"] == 2
    assert found["metadata"]["labels"]["team"] == "dns"
    assert found["metadata"]["annotations"]["note"] == "a person's"
    template = found["spec"]["template"]
    assert template["metadata"]["annotations"] == {"restarted": "today"}
    assert template["spec"]["containers"][0]["env"] == [{"name": "A", "value": "1"}]
    data = admin("GET", f"{CONFIG_MAPS}/coredns")["data"]
    assert data["Corefile"].startswith(".:53 {")
    assert data["own"] == "1"
    # Once: nobody fights about it from now on.
    assert not any("took back" in line for line in acting.round(2 * AGAIN))


def test_what_somebody_deleted_comes_back(agent, admin):
    acting = agent()
    acting.round(0)
    for path in (DEPLOYMENT, OBJECTS[2], OBJECTS[-1]):
        admin("DELETE", path)
    acting.round(AGAIN)
    for path in OBJECTS:
        admin("GET", path)


def test_what_is_no_longer_declared_is_deleted_and_nothing_else(agent, admin, server):
    """As after an update of the program that applies less."""

    def config_map(name, labels):
        return {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": "kube-system", "labels": dict(labels)},
        }

    acting = agent()
    acting.round(0)
    api_module.Api(server.inside(PKI["api"])).apply(config_map("old", LABELS))
    api_module.Api(server.inside(PKI["api"])).apply(config_map("kept", LABELS))
    admin("POST", CONFIG_MAPS, config_map("theirs", LABELS), fieldManager="kubectl-create")
    # A person made it their own.
    patch = {"kind": "application/merge-patch+json", "fieldManager": "kubectl-label"}
    labels = {"metadata": {"labels": {"app.kubernetes.io/managed-by": "me"}}}
    admin("PATCH", f"{CONFIG_MAPS}/kept", labels, **patch)
    said = acting.round(AGAIN)
    assert [line for line in said if "deleted" in line] == [
        "deleted ConfigMap kube-system/old, which is no longer wanted"
    ]
    names = {one["metadata"]["name"] for one in admin("GET", CONFIG_MAPS)["items"]}
    assert {"theirs", "kept", "coredns"} <= names
    assert "old" not in names
    for path in OBJECTS:
        admin("GET", path)
    for name in ("theirs", "kept"):
        admin("DELETE", f"{CONFIG_MAPS}/{name}")


def test_pod_security_of_the_first_namespaces_and_a_person_who_sets_another(agent, admin, server):
    path, label = "/api/v1/namespaces/default", "pod-security.kubernetes.io/enforce"
    acting = agent()
    acting.round(0)
    assert admin("GET", path)["metadata"]["labels"][label] == "baseline"
    privileged = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {
            "containers": [{"name": "a", "image": "a", "securityContext": {"privileged": True}}]
        },
    }
    status, answer = ask(server, server.admin, "POST", f"{path}/pods", privileged)
    assert status == 403
    # The pods' ServiceAccount is the controller-manager's to make, and may come later.
    assert "violates PodSecurity" in answer["message"] or "serviceaccount" in answer["message"]
    patch = {"kind": "application/merge-patch+json", "fieldManager": "kubectl-label"}
    admin("PATCH", path, {"metadata": {"labels": {label: "privileged"}}}, **patch)
    said = acting.round(AGAIN)
    assert any("left Namespace default as somebody else has set it" in line for line in said)
    assert admin("GET", path)["metadata"]["labels"][label] == "privileged"
    assert acting.round(2 * AGAIN) == []
    admin("PATCH", path, {"metadata": {"labels": {label: None}}}, **patch)


def ready(admin, worker, zone, status="True"):
    """Make a Node that takes pods."""
    admin("POST", NODES, worker.node(zone))
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    condition = {
        "type": "Ready",
        "status": status,
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
        "reason": "KubeletReady",
    }
    room = {"cpu": "2", "memory": "4Gi", "pods": "30"}
    body = {"status": {"conditions": [condition], "capacity": room, "allocatable": room}}
    admin("PATCH", f"{NODES}/{worker.name}/status", body, kind=MERGE)
    wait_until(
        lambda: "taints" not in admin("GET", f"{NODES}/{worker.name}")["spec"], "it takes pods"
    )
    return worker.name


def places_of(admin, version=1):
    """Where the replicas of an image are, those without a place first."""
    listed = admin("GET", "/api/v1/namespaces/kube-system/pods", labelSelector="k8s-app=kube-dns")
    return sorted(
        one["spec"].get("nodeName", "")
        for one in listed["items"]
        if one["spec"]["containers"][0]["image"] == f"{IMAGE}{version}"
        and "deletionTimestamp" not in one["metadata"]
    )


def test_replicas_spread_over_workers_as_these_come(agent, admin, kubelet, stack):
    """By the real scheduler; the pods run nowhere, so their place is all there is to see."""
    acting = agent()
    acting.round(0)

    def places(version=1):
        return places_of(admin, version)

    # One worker takes both.
    first = ready(admin, kubelet(), "eu-central-1a")
    wait_until(lambda: places() == [first, first], "both replicas are on the only worker")

    # A worker in each zone: a third replica, which is never where another one is.
    second = ready(admin, kubelet(), "eu-central-1b")
    third = ready(admin, kubelet(), "eu-central-1c")
    acting.round(NODES_INTERVAL)
    wait_until(lambda: len(places()) == 3 and all(places()), "a third replica has a place")
    assert len(set(places())) == 2

    # A rollout: the new ones count alone, so they go to three workers.
    stack(version=2)
    for number in range(5, 9):
        acting.round(number * NODES_INTERVAL)
    _run_until(admin, lambda: len(places(2)) == 3, "the rollout is over")
    assert places(2) == sorted([first, second, third])

    # A worker that falls silent: its replica is evicted, and goes where there is one already,
    # rather than wait for the worker that has none any more.
    said = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    admin("PATCH", f"{NODES}/{third}/status", said, kind=MERGE)
    wait_until(
        lambda: len(places(2)) == 3 and set(places(2)) == {first, second}, "the others take it"
    )


def test_a_replica_moves_to_a_worker_that_joined_after_it_was_placed(agent, admin, kubelet):
    acting = agent()
    acting.round(0)
    first = ready(admin, kubelet(), "eu-central-1a")
    _run_until(admin, lambda: _placed_well(admin, [first, first]), "both run on the only worker")
    second = ready(admin, kubelet(), "eu-central-1b")

    said = []
    rounds = iter(range(1, 100))

    def moved():
        said.extend(acting.round(next(rounds) * NODES_INTERVAL))
        return _placed_well(admin, sorted([first, second]))

    _run_until(admin, moved, "one of them moved")
    assert len([line for line in said if line.startswith("evicted coredns-")]) == 1
    assert not [line for line in said if "spread of CoreDNS" in line]
    # And stays there.
    for _ in range(5):
        assert acting.round(next(rounds) * NODES_INTERVAL) == []


def _placed_well(admin, expected):
    """Whether the replicas are there, and the Deployment knows that they are ready."""
    status = admin("GET", DEPLOYMENT).get("status", {})
    return places_of(admin) == expected and status.get("readyReplicas") == len(expected)


def _run_until(admin, done, what):
    """Say of every pod that has a place that it runs, as its kubelet would."""

    def step():
        for one in admin("GET", "/api/v1/namespaces/kube-system/pods")["items"]:
            path = f"/api/v1/namespaces/kube-system/pods/{one['metadata']['name']}"
            if "deletionTimestamp" in one["metadata"]:
                admin("DELETE", path, gracePeriodSeconds=0)
            elif one["spec"].get("nodeName") and one["status"]["phase"] != "Running":
                conditions = [
                    {"type": kind, "status": "True"} for kind in ("Ready", "PodScheduled")
                ]
                body = {"status": {"phase": "Running", "conditions": conditions}}
                admin("PATCH", f"{path}/status", body, kind=MERGE)
        return done()

    wait_until(step, what)
