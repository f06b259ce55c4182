"""`prepare` and `reconcile` of a worker as a whole, and what else a worker is asked to run."""

import hashlib
import json
from datetime import UTC, datetime, timedelta

import pytest

from components.nodes.operations_parameter import operations_document
from config import check
from node import cli
from node.errors import NodeError
from node.settings import Artifact
from node.worker import prepare_worker, reconcile_worker, trust
from tests.node.doubles import FakeMachine, Metadata, Quiet, serve
from tests.node.issued_certificates import Authority
from tests.node.worker_node import (
    ENVIRONMENT,
    INTERFACE,
    ITEMS,
    NODE,
    api_server,
    auto_scaling,
    certify,
    changes,
    pod,
    said_without_boto3,
)

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9q person"


def put(aws, name, value, kind="String"):
    aws.put_parameter(Name=name, Value=value, Type=kind, Overwrite=True)


@pytest.fixture
def items(root, aws, monkeypatch):
    found = dict(ITEMS)
    monkeypatch.setattr(Metadata, "items", found)
    return found


@pytest.fixture
def parameters(aws, authority):
    """What the stack and the control plane have stored."""
    put(aws, "/test/workers/ca", authority.pair.certificate)
    said = {"operatorAccess": "instance-connect", "operatorKeys": [KEY]}
    put(aws, "/test/operations", operations_document(check(said, stack="test")))
    expires = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    token = {"token": "abcdef.0123456789abcdef", "expires": expires}
    put(aws, "/test/workers/join-token", json.dumps(token), "SecureString")


@pytest.fixture
def worker(node, items, parameters):
    return node("test-workers-blue", **changes())


def prepare(settings):
    return prepare_worker.run(settings, FakeMachine())


def reconcile(settings):
    return reconcile_worker.run(settings, FakeMachine())


def test_a_new_machine_gets_all_that_its_daemons_need(worker, root, authority):
    assert prepare(worker) == (
        f"wrote ca.crt; this is {NODE}, aws:///eu-central-1a/i-0abc; "
        "pods get the addresses of 10.0.228.0/28, 10.0.228.32/28; wrote the join token"
    )
    assert (root / "etc/kubernetes/pki/ca.crt").read_text() == authority.pair.certificate
    assert (root / "etc/ha-kubernetes/node.env").read_text() == ENVIRONMENT
    assert (root / "etc/cni/net.d/10-ha-kubernetes.conflist").exists()
    assert prepare(worker) == "everything was in place"


def test_a_reboot_needs_no_aws(worker, root, authority, aws_down):
    prepare(worker)
    certify(root, authority)
    aws_down()
    said = prepare(worker)
    assert said.count("kept what is on disk") == 3
    assert said.endswith("joined: removed the join token")


@pytest.mark.parametrize(
    ("lacks", "complaint"),
    [
        ("etc/kubernetes/pki/ca.crt", "on disk ca.crt is missing"),
        ("etc/ha-kubernetes/node.env", "on disk no /etc/ha-kubernetes/node.env"),
        ("etc/cni/net.d/10-ha-kubernetes.conflist", "on disk no /etc/cni/net.d"),
    ],
)
def test_without_aws_what_is_missing_is_named(worker, root, aws_down, lacks, complaint):
    prepare(worker)
    (root / lacks).unlink()
    aws_down()
    with pytest.raises(NodeError, match=complaint):
        prepare(worker)


def test_a_damaged_ca_on_disk_is_not_started_with(worker, root, aws_down):
    prepare(worker)
    (root / "etc/kubernetes/pki/ca.crt").write_text("x")
    aws_down()
    with pytest.raises(NodeError, match=r"on disk ca\.crt is damaged"):
        prepare(worker)


def test_workers_may_be_older_than_the_control_plane(worker, aws):
    """kubelet tries until the token is here; everything else starts meanwhile."""
    aws.delete_parameter(Name="/test/workers/join-token")
    assert "does not exist yet: ha-cluster-agent" in prepare(worker)


def test_a_pod_network_of_ones_own_is_left_alone(node, items, parameters, root):
    del items[f"{INTERFACE}/ipv4-prefix"]
    assert "pods get" not in prepare(node("test-workers-blue", **changes(podNetwork="none")))
    assert not (root / "etc/cni").exists()


@pytest.mark.usefixtures("parameters", "items")
def test_binaries_go_where_they_are_looked_for(node, root, monkeypatch, authority, tmp_path):
    content = b"#!/bin/sh\n"

    class Mirror(Quiet):
        def do_GET(self):
            self.reply(200, content)

    bundle = tmp_path / "ca.pem"
    bundle.write_text(authority.pair.certificate)
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    with serve(Mirror, authority.server_context("mirror")) as port:
        artifact = Artifact(
            f"https://127.0.0.1:{port}/opencontainers/runc.amd64",
            hashlib.sha256(content).hexdigest(),
            "binary",
            ("runc",),
            "/opt/elsewhere",
        )
        settings = node("test-workers-blue", **changes(), artifacts=[vars(artifact)])
        assert "installed runc" in prepare(settings)
    assert (root / "opt/elsewhere/runc").read_bytes() == content
    assert not (root / "usr/local/bin").exists()
    assert "installed" not in prepare(settings)


def test_reconcile_follows_operators_and_then_rests(worker, root, monkeypatch, aws_down):
    prepare(worker)
    assert reconcile(worker) == "accepts 1 operators' keys"
    assert KEY in (root / "etc/ha-kubernetes/authorized_keys").read_text()
    aws_down()
    # Neither AWS nor the metadata answer; what is not due is not tried.
    said = reconcile(worker)
    assert said.startswith("nobody knows whether this instance is to end: 127.0.0.1")
    assert "operators" not in said
    monkeypatch.setattr(reconcile_worker, "FOLLOW_SECONDS", 0)
    assert "kept ca.crt: AWS" in reconcile(worker)
    assert "kept the operators' keys on disk: AWS" in reconcile(worker)


def test_a_step_is_taken_whatever_comes_of_the_one_before(worker, monkeypatch):
    prepare(worker)

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("node.worker.join_token.follow", full)
    with pytest.raises(NodeError, match="No space left on device; accepts 1 operators' keys"):
        reconcile(worker)


def test_a_reboot_follows_at_once(worker, root):
    prepare(worker)
    reconcile(worker)
    # The clock of the boot before was ahead of this one's.
    (root / "run/ha-kubernetes/followed").write_text("9e12\n")
    (root / "etc/ha-kubernetes/authorized_keys").unlink()
    assert reconcile(worker) == "accepts 1 operators' keys"


def test_a_worker_that_joined_has_nothing_to_do(worker, root, authority):
    prepare(worker)
    certify(root, authority)
    reconcile(worker)
    assert reconcile(worker) == "nothing to do"


def test_another_ca_says_who_must_be_restarted(worker, aws):
    prepare(worker)
    put(aws, "/test/workers/ca", Authority("another").pair.certificate)
    assert reconcile(worker).startswith(
        "wrote ca.crt: systemctl restart kubelet.service kube-proxy.service"
    )


def test_what_is_no_ca_replaces_none(worker, aws, root, authority):
    prepare(worker)
    put(aws, "/test/workers/ca", "x")
    assert "kept ca.crt: parameter /test/workers/ca is no certificate" in reconcile(worker)
    assert (root / "etc/kubernetes/pki/ca.crt").read_text() == authority.pair.certificate
    assert trust.lacking(worker) == []


def test_the_end_comes_before_everything_else(node, worker, root, authority, request):
    items, monkeypatch = map(request.getfixturevalue, ("items", "monkeypatch"))
    prepare(worker)
    certify(root, authority)
    items["autoscaling/target-lifecycle-state"] = "Terminated"
    with api_server(authority) as cluster, auto_scaling() as (url, asked, _):
        monkeypatch.setenv("AWS_ENDPOINT_URL_AUTO_SCALING", url)
        monkeypatch.setattr("node.worker.drain.PAUSE_SECONDS", 0.01)
        cluster.pods = [pod("web-0")]
        settings = node("test-workers-blue", **changes(cluster.url))
        assert reconcile(settings) == f"drained {NODE}: all pods have left"
        assert [one["Action"] for one in asked] == ["CompleteLifecycleAction"]
    assert reconcile(settings).startswith("waiting for the end of this instance")


@pytest.mark.parametrize(
    "line", ["release-lease kube-scheduler", "watch-leader", "liveness", "snapshot", "defrag"]
)
def test_what_is_for_the_control_plane_runs_on_no_worker(worker, capsys, line):
    assert cli.main(line.split()) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"{line.split()[0]}: test-workers-blue is ")
    assert "run this on" in said


def test_commands_reach_the_workers_own(worker, capsys):
    assert cli.main(["prepare"]) == 0
    assert "this is ip-10-0-224-4" in capsys.readouterr().out
    assert cli.main(["report"]) == 0
    assert capsys.readouterr().out.startswith("report: joining: https://127.0.0.1:1 does not")


@pytest.mark.parametrize("command", [prepare_worker, reconcile_worker])
def test_no_other_node_runs_them(node, command):
    with pytest.raises(NodeError, match="api-0 is no worker"):
        command.run(node("api-0"), FakeMachine())


def test_a_worker_that_joined_does_not_import_boto3(worker, root, authority):
    """Half a second of CPU, four times a minute, on the smallest machines of a cluster."""
    prepare(worker)
    certify(root, authority)
    reconcile(worker)
    assert said_without_boto3().startswith("reconcile: nothing to do\nreport: joining: ")
