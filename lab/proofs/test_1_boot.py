"""Proof 1: `pulumi up` alone makes a cluster."""

import base64
import json
import secrets
from collections.abc import Iterator

import pytest

from lab.proofs.etcdctl import value
from lab.proofs.figures import Figures
from lab.proofs.kubernetes_api import api, namespace
from lab.proofs.lab_session import LabSession
from lab.running.memory import memory
from lab.running.node_names import tier
from lab.running.node_snapshot import LEADERS, held_by
from lab.running.timeline import PHASES, phases
from lab.workspace import Workspace

NAMESPACE = "proof-boot"
SECRETBOX = b"k8s:enc:secretbox:v1:"
"""What kube-apiserver writes before a value that this provider encrypted."""


@pytest.fixture(scope="module", autouse=True)
def own_namespace(session: LabSession) -> Iterator[None]:
    """What these proofs write goes into a namespace of theirs."""
    with namespace(session.kubectl, NAMESPACE):
        yield


def test_every_member_is_a_voter_and_one_leads(session: LabSession) -> None:
    names = {node.name for node in session.nodes("etcd")}
    members = {
        snapshot.node.name: snapshot.etcd
        for snapshot in session.snapshots()
        if snapshot.node.name in names
    }
    for name, member in members.items():
        assert member is not None, f"{name} does not answer"
        assert member.members == dict.fromkeys(names, "voter")
    assert len([member for member in members.values() if member and member.leader]) == 1
    assert len({member.id for member in members.values() if member}) == len(names)


def test_every_api_server_is_ready_behind_the_load_balancer(session: LabSession) -> None:
    nodes = {node.name for node in session.nodes("api")}
    seen = {
        snapshot.node.name: snapshot
        for snapshot in session.snapshots()
        if snapshot.node.name in nodes
    }
    assert {name: snapshot.target for name, snapshot in seen.items()} == dict.fromkeys(
        nodes, "healthy"
    )
    assert {
        name: snapshot.api and snapshot.api.ready for name, snapshot in seen.items()
    } == dict.fromkeys(nodes, True)
    assert session.kubectl.output("get", "--raw", "/readyz") == "ok"


def test_connections_through_the_load_balancer_reach_every_api_server(session: LabSession) -> None:
    through, nodes = api(session.kubectl), session.nodes("api")
    # Each server's metrics tell when its process started, which names it.
    starts = set()
    for _ in range(20 * len(nodes)):
        lines = through.ask("/metrics").body.splitlines()
        starts |= {line for line in lines if line.startswith("process_start_time_seconds ")}
        if len(starts) == len(nodes):
            return
    pytest.fail(f"{len(starts)} of {len(nodes)} API servers answered")


@pytest.mark.parametrize("controller", LEADERS)
def test_one_leads_and_the_others_stand_by(session: LabSession, controller: str) -> None:
    lease = json.loads(
        session.kubectl.output("get", "lease", controller, "-n", "kube-system", "-o", "json")
    )
    holder = lease["spec"]["holderIdentity"]
    nodes = session.nodes("api")
    leading = [node.name for node in nodes if held_by(holder, node)]
    assert len(leading) == 1, f"{holder} is none of {[node.name for node in nodes]}"
    for node in nodes:
        unit = f"{controller}.service"
        assert session.within(node, "systemctl", "is-active", unit).strip() == "active"
        process = session.within(
            node, "systemctl", "show", "--property=InvocationID", "--value", unit
        )
        log = session.within(
            node, "journalctl", "--no-pager", f"_SYSTEMD_INVOCATION_ID={process.strip()}"
        ).lower()
        # A process that loses the lease ends, so what it did since it started says what it is.
        assert "attempting to acquire leader lease" in log
        assert ("successfully acquired lease" in log) == (node.name in leading), node.name


def test_a_secret_is_encrypted_in_etcd(session: LabSession) -> None:
    word = secrets.token_hex(16)
    for kind, field in (("Secret", "stringData"), ("ConfigMap", "data")):
        document = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "word"}}
        manifest = json.dumps({**document, field: {"word": word}})
        session.kubectl.output("create", "-n", NAMESPACE, "-f", "-", stdin=manifest)
    read = session.kubectl.output("get", "secret", "word", "-n", NAMESPACE, "-o", "json")
    assert base64.b64decode(json.loads(read)["data"]["word"]).decode() == word
    for node in session.nodes("etcd"):
        stored = value(session, node, f"/registry/secrets/{NAMESPACE}/word")
        assert stored.startswith(SECRETBOX)
        assert word.encode() not in stored
        # The same word in a ConfigMap is found: the search can find it.
        assert word.encode() in value(session, node, f"/registry/configmaps/{NAMESPACE}/word")


def test_a_service_account_gets_a_token_that_every_api_server_accepts(session: LabSession) -> None:
    session.kubectl.output("create", "serviceaccount", "robot", "-n", NAMESPACE)
    token = session.kubectl.output("create", "token", "robot", "-n", NAMESPACE).strip()
    review = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "spec": {"token": token},
    }
    through = api(session.kubectl)
    path = "/apis/authentication.k8s.io/v1/tokenreviews"
    # Each connection goes to another one of them.
    for _ in range(3 * len(session.nodes("api"))):
        answer = json.loads(through.ask(path, method="POST", document=review).body)
        assert answer["status"].get("authenticated") is True
        user = answer["status"]["user"]["username"]
        assert user == f"system:serviceaccount:{NAMESPACE}:robot"


def test_every_machine_went_through_every_phase(
    session: LabSession, figures: Figures, workspace: Workspace
) -> None:
    reached: dict[str, list[float]] = {}
    for snapshot in session.snapshots():
        of, found = tier(snapshot.node.name), phases(snapshot)
        assert set(found) >= {"network", "ready"}, snapshot.node.name
        for phase in (name for name, _ in PHASES[of] if name in found):
            reached.setdefault(f"{of} machine, systemd to {phase}, slowest", []).append(
                found[phase]
            )
    for what, seconds in reached.items():
        figures.add("boot", what, max(seconds))
    parts = memory(session.lab)
    figures.add("memory", "whole lab", sum(parts.values()), "MiB")
    for name, mib in parts.items():
        figures.add("memory", name, mib, "MiB")
    if workspace.timing.exists():
        for part, taken in json.loads(workspace.timing.read_text(encoding="utf-8")).items():
            figures.add("up", part, taken)
