"""Drain as a whole: against an API server that knows kubelets by certificate, and Auto Scaling."""

import json
import re
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from node.contract import STRANDED_ANNOTATION
from node.errors import NodeError
from node.worker import drain, drain_plan, kubelet_client
from node.worker.termination import Termination, announced, parse
from tests.node.doubles import Metadata
from tests.node.worker_node import (
    NODE,
    api_server,
    auto_scaling,
    certify,
    changes,
    completed,
    installed,
    pod,
)

HOOKED = Termination(hooked=True)
COMPLETED = completed("drain")


@pytest.fixture
def cluster(authority):
    with api_server(authority) as cluster:
        yield cluster


@pytest.fixture
def group(aws, monkeypatch):
    """What Auto Scaling was asked; errors that it answers next."""
    with auto_scaling() as (url, asked, errors):
        monkeypatch.setenv("AWS_ENDPOINT_URL_AUTO_SCALING", url)
        group = asked
        monkeypatch.setattr(drain, "PAUSE_SECONDS", 0.01)
        yield group, errors


@pytest.fixture
def worker(node, root, authority, cluster, group):
    settings = installed(node, root, authority, cluster.url)
    certify(root, authority)
    return settings


def run(worker, end=HOOKED):
    return drain.run(worker, worker.worker, end)


def state(root):
    return json.loads((root / "run/ha-kubernetes/drain.json").read_text())


def test_pods_leave_and_aws_is_told_once(worker, cluster, group, root):
    cluster.pods = [pod("web-0"), pod("web-1")]
    cluster.pods.append(
        pod("agent", metadata={"ownerReferences": [{"kind": "DaemonSet", "controller": True}]})
    )
    assert run(worker) == f"drained {NODE}: all pods have left"
    assert [one["metadata"]["name"] for one in cluster.pods] == ["agent"]
    assert cluster.node["spec"] == {"unschedulable": True}
    assert cluster.asked[0] == f"PATCH /api/v1/nodes/{NODE}"
    assert group[0] == [COMPLETED]
    asked = len(cluster.asked)
    assert run(worker) == "waiting for the end of this instance: all pods have left"
    assert (len(cluster.asked), len(group[0])) == (asked, 1)
    assert state(root)["ended"]


def test_a_pool_with_a_group_in_each_zone(node, worker, cluster, group):
    settings = node("test-workers-blue", **changes(cluster.url, perZone=True))
    run(settings)
    assert group[0] == [{**COMPLETED, "AutoScalingGroupName": "test-workers-blue-eu-central-1a"}]


def test_a_budget_that_never_allows_it_is_named_and_outlasted(
    worker, cluster, group, monkeypatch, capsys
):
    # Enough for the other pod, on a busy machine too.
    monkeypatch.setattr(drain_plan, "LIMIT_SECONDS", 2)
    why = "The disruption budget web needs 2 healthy pods and has 2 currently"
    cluster.pods = [pod("web-0"), pod("lone")]
    cluster.budgets["web-0"] = (429, why)
    said = run(worker)
    head = rf"drained {re.escape(NODE)}: gave up after [0-9]+ s: default/web-0 stays: Cannot evict"
    assert re.match(head, said)
    assert said.endswith(why)
    assert [one["metadata"]["name"] for one in cluster.pods] == ["web-0"]
    assert group[0] == [COMPLETED]
    # Said once in the journal, not with every round.
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(set(lines))
    assert any("default/web-0 stays" in line for line in lines)


def test_a_budget_that_allows_it_later_is_waited_for(worker, cluster, group, monkeypatch):
    cluster.pods = [pod("web-0")]
    cluster.budgets["web-0"] = (429, "The disruption budget web needs 2 healthy pods")
    rounds = []

    def pause():
        rounds.append(1)
        if len(rounds) == 3:
            cluster.budgets.clear()

    monkeypatch.setattr(drain, "pause", pause)
    assert run(worker) == f"drained {NODE}: all pods have left"
    assert len(rounds) == 4


def test_with_nowhere_to_go_no_budget_is_waited_for(worker, cluster, group, monkeypatch):
    """As when a stack is destroyed: the cluster agent says so, on the worker's own Node."""
    cluster.pods = [pod("web-0"), pod("web-1")]
    cluster.budgets["web-0"] = (429, "The disruption budget web needs 1 healthy pods")

    def pause():
        cluster.node["metadata"] = {"annotations": {STRANDED_ANNOTATION: "true"}}

    monkeypatch.setattr(drain, "pause", pause)
    said = run(worker)
    assert said.startswith(
        f"drained {NODE}: gave up, since no other node takes pods: default/web-0"
    )
    assert [one["metadata"]["name"] for one in cluster.pods] == ["web-0"]
    assert group[0] == [COMPLETED]


def test_two_budgets_over_a_pod_are_no_outage(worker, cluster, group, monkeypatch):
    """The API server answers 500 for as long as there are two."""
    monkeypatch.setattr(drain_plan, "LIMIT_SECONDS", 0.1)
    cluster.pods = [pod("web-0")]
    cluster.budgets["web-0"] = (500, "This pod has more than one PodDisruptionBudget")
    assert "stays: Cannot evict" in run(worker)


def test_pods_are_given_their_own_time(worker, cluster, group, monkeypatch):
    monkeypatch.setattr(drain_plan, "LIMIT_SECONDS", 0)
    monkeypatch.setattr(drain, "HEARTBEAT_SECONDS", 0)
    cluster.pods = [pod("slow", spec={"terminationGracePeriodSeconds": 3000})]
    cluster.stays.add("slow")
    rounds = []

    def pause():
        rounds.append(1)
        if len(rounds) == 3:
            cluster.pods.clear()

    monkeypatch.setattr(drain, "pause", pause)
    assert run(worker) == f"drained {NODE}: all pods have left"
    assert len(cluster.evictions) == 1
    actions = [one["Action"] for one in group[0]]
    assert actions == ["RecordLifecycleActionHeartbeat"] * 3 + ["CompleteLifecycleAction"]


def test_without_api_servers_it_ends_after_a_minute(worker, cluster, group, monkeypatch):
    monkeypatch.setattr(drain_plan, "SILENT_SECONDS", 0.1)
    cluster.down = 503
    assert run(worker) == f"drained {NODE}: gave up: the API server answered 503: etcd is away"
    assert group[0] == [COMPLETED]


def test_an_api_server_that_comes_back_in_time_is_used(worker, cluster, group, monkeypatch):
    cluster.down = 503
    cluster.pods = [pod("web-0")]

    def pause():
        cluster.down = None

    monkeypatch.setattr(drain, "pause", pause)
    assert run(worker) == f"drained {NODE}: all pods have left"
    assert not cluster.pods


def test_nobody_listens_is_no_api_server_either(node, worker, group, monkeypatch):
    monkeypatch.setattr(drain_plan, "SILENT_SECONDS", 0)
    settings = node("test-workers-blue", **changes("https://127.0.0.1:1"))
    assert "https://127.0.0.1:1 does not answer" in run(settings)
    assert group[0] == [COMPLETED]


def test_without_its_node_pods_are_still_evicted(worker, cluster, group):
    cluster.node = None
    cluster.pods = [pod("web-0")]
    assert run(worker) == f"drained {NODE}: all pods have left"


@pytest.mark.parametrize("days", [None, -1])
def test_a_kubelet_without_a_certificate_has_nothing_to_leave(worker, root, request, group, days):
    certificate = root / "var/lib/kubelet/pki/kubelet-client-current.pem"
    certificate.unlink()
    if days:
        certify(root, request.getfixturevalue("authority"), days=days)
    assert run(worker) == f"drained {NODE}: never joined, so nothing runs here"
    assert request.getfixturevalue("cluster").asked == []
    assert group[0] == [COMPLETED]


def test_a_machine_that_was_never_prepared_says_so(worker, root):
    (root / "etc/ha-kubernetes/node.env").unlink()
    with pytest.raises(NodeError, match="run ha-node prepare"):
        run(worker)


def test_what_aws_was_not_told_the_next_run_tells_it(worker, cluster, group, monkeypatch, root):
    asked, errors = group
    errors.append((400, "Something else is wrong"))
    with pytest.raises(NodeError, match="Something else is wrong"):
        run(worker)
    assert not state(root)["ended"]
    assert run(worker) == f"drained {NODE}: all pods have left"
    assert len(asked) == 2


def test_an_end_that_has_begun_is_not_completed_twice(worker, group):
    group[1].append((400, "No active Lifecycle Action found with instance ID i-0abc"))
    assert run(worker) == f"drained {NODE}: all pods have left"


def test_a_heartbeat_that_fails_does_not_end_the_drain(worker, cluster, group, monkeypatch):
    monkeypatch.setattr(drain, "HEARTBEAT_SECONDS", 0)
    group[1].append((400, "Throttled"))
    cluster.pods = [pod("web-0")]
    assert run(worker) == f"drained {NODE}: all pods have left"
    assert group[0][0]["Action"] == "RecordLifecycleActionHeartbeat"


def test_an_interrupted_drain_goes_on_with_its_own_time(worker, cluster, group, root, monkeypatch):
    cluster.pods = [pod("web-0")]
    cluster.budgets["web-0"] = (429, "no")

    class Killed(BaseException):
        pass

    def killed():
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(drain, "pause", killed)
        with pytest.raises(Killed):
            run(worker)
    since = state(root)["since"]
    assert 0 <= time.monotonic() - since < 60
    monkeypatch.setattr(drain_plan, "LIMIT_SECONDS", 0)
    run(worker)
    assert state(root)["since"] == since


def test_a_spot_instance_is_left_in_time_and_nobody_waits_for_its_hook(worker, cluster, group):
    end = Termination(hooked=False, at=datetime.now(UTC) + timedelta(seconds=40))
    cluster.pods = [pod("web-0", spec={"terminationGracePeriodSeconds": 300})]
    assert run(worker, end) == f"drained {NODE}: all pods have left"
    assert 25 <= cluster.evictions[0]["deleteOptions"]["gracePeriodSeconds"] <= 30
    assert group[0] == []
    # Its group may still end it by the hook.
    assert run(worker) == f"drained {NODE}: all pods have left"
    assert group[0] == [COMPLETED]


def test_a_spot_instance_that_is_taken_back_ends_the_drain(worker, cluster, group):
    cluster.pods = [pod("web-0")]
    cluster.budgets["web-0"] = (429, "no")
    end = Termination(hooked=False, at=datetime.now(UTC) + timedelta(seconds=0.2))
    assert run(worker, end).startswith(
        f"drained {NODE}: EC2 takes the instance back: default/web-0"
    )


@pytest.fixture
def items(root, aws, monkeypatch):
    found = dict(Metadata.items)
    monkeypatch.setattr(Metadata, "items", found)
    return found


@pytest.mark.parametrize(
    ("told", "end"),
    [
        ({}, None),
        ({"autoscaling/target-lifecycle-state": "InService"}, None),
        ({"autoscaling/target-lifecycle-state": "Standby"}, None),
        ({"autoscaling/target-lifecycle-state": "Terminated"}, HOOKED),
        (
            {"spot/instance-action": '{"action": "terminate", "time": "2026-11-29T12:02:00Z"}'},
            Termination(hooked=False, at=datetime(2026, 11, 29, 12, 2, tzinfo=UTC)),
        ),
        (
            {
                "autoscaling/target-lifecycle-state": "Terminated",
                "spot/instance-action": '{"action": "stop", "time": "2026-11-29T12:02:00Z"}',
            },
            Termination(hooked=True, at=datetime(2026, 11, 29, 12, 2, tzinfo=UTC)),
        ),
    ],
)
def test_the_metadata_announces_the_end(items, told, end):
    items |= told
    assert announced() == end


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"time": "soon"}', '{"time": 3}'])
def test_a_damaged_announcement_is_said(text):
    with pytest.raises(NodeError, match="is damaged"):
        parse(text)


def test_without_metadata_nobody_knows(items, aws_down):
    aws_down()
    with pytest.raises(NodeError, match="did not answer"):
        announced()


def test_an_api_server_of_another_ca_is_not_told_anything(worker, cluster, group, monkeypatch):
    from tests.node.issued_certificates import Authority

    (worker.pki / "ca.crt").write_text(Authority("another").pair.certificate)
    monkeypatch.setattr(drain_plan, "SILENT_SECONDS", 0)
    assert "CERTIFICATE_VERIFY_FAILED" in run(worker)
    assert cluster.asked == []


def test_an_answer_that_is_no_success_is_said(worker, cluster):
    with (
        closing(kubelet_client.as_kubelet(worker, cluster.url)) as api,
        pytest.raises(kubelet_client.RefusedError, match="answered 404: /x"),
    ):
        api.get("/x")


def test_nothing_of_it_needs_boto3():
    """A drain begins with the pods: on a small machine, boto3 is half a second of CPU."""
    code = (
        "import sys, node.worker.drain, node.worker.reconcile_worker, node.worker.worker_report;"
        "sys.exit('boto3' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
