"""Word to AWS that a worker has joined: once, when it has, and never of one that leaves."""

import time

import pytest

from node.worker import join_hook, reconcile_worker
from tests.node.doubles import FakeMachine, Metadata
from tests.node.worker_node import (
    ITEMS,
    api_server,
    auto_scaling,
    certify,
    changes,
    completed,
    installed,
    said_without_boto3,
)

READY = {"spec": {}, "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
SAID = ["joined: this instance goes into service"]
COMPLETED = completed("join")
NOTHING_WAITS = (400, "No active Lifecycle Action found with instance ID i-0abc")


@pytest.fixture
def cluster(authority):
    with api_server(authority) as cluster:
        cluster.node = READY
        yield cluster


@pytest.fixture
def group(aws, monkeypatch):
    """What Auto Scaling was asked; errors that it answers next."""
    with auto_scaling() as (url, asked, errors):
        monkeypatch.setenv("AWS_ENDPOINT_URL_AUTO_SCALING", url)
        yield asked, errors


@pytest.fixture
def worker(node, root, authority, cluster, group):
    settings = installed(node, root, authority, cluster.url)
    certify(root, authority)
    return settings


def follow(worker):
    return join_hook.follow(worker, worker.worker, FakeMachine())


def test_a_worker_that_joined_goes_into_service_and_says_so_once(worker, group):
    assert follow(worker) == SAID
    assert group[0] == [COMPLETED]
    assert follow(worker) == []
    assert len(group[0]) == 1


def test_a_pool_with_a_group_in_each_zone(node, worker, cluster, group):
    follow(node("test-workers-blue", **changes(cluster.url, perZone=True)))
    assert group[0] == [{**COMPLETED, "AutoScalingGroupName": "test-workers-blue-eu-central-1a"}]


@pytest.mark.parametrize("lacks", ["certificate", "node", "ready", "api", "prepared"])
def test_one_that_has_not_joined_says_nothing(worker, cluster, group, root, lacks):
    match lacks:
        case "certificate":
            (root / "var/lib/kubelet/pki/kubelet-client-current.pem").unlink()
        case "node":
            cluster.node = None
        case "ready":
            cluster.node = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        case "api":
            cluster.down = 503
        case "prepared":
            (root / "etc/ha-kubernetes/node.env").unlink()
    assert follow(worker) == []
    assert group[0] == []


def test_what_fails_is_said_and_done_the_next_time(worker, group):
    group[1].append((400, "Something else is wrong"))
    (said,) = follow(worker)
    assert said.startswith("joined, and nobody could tell the group of this instance: ")
    assert "Something else is wrong" in said
    assert follow(worker) == SAID
    assert len(group[0]) == 2


def test_a_group_may_see_its_instance_later_than_it_joins(worker, group):
    """Believed too early, it would be given up although it joined."""
    group[1].extend([NOTHING_WAITS] * 3)
    assert [follow(worker) for _ in range(5)] == [[], [], [], SAID, []]
    assert len(group[0]) == 4


def test_an_instance_of_before_the_hook_or_of_a_reboot_is_asked_about_for_a_while(
    worker, group, root
):
    group[1].extend([NOTHING_WAITS] * 100)
    for _ in range(2 * join_hook.TRIES):
        assert follow(worker) == []
    assert len(group[0]) == join_hook.TRIES
    (root / "run/ha-kubernetes/join-hook").write_text("damaged\n")
    follow(worker)
    assert len(group[0]) == join_hook.TRIES + 1


@pytest.fixture
def items(root, worker, monkeypatch):
    """The metadata, on a machine that has just followed what operators set."""
    found = dict(ITEMS)
    monkeypatch.setattr(Metadata, "items", found)
    (root / "run/ha-kubernetes").mkdir(parents=True)
    (root / "run/ha-kubernetes/followed").write_text(f"{time.monotonic()}\n")
    return found


def test_a_worker_that_leaves_goes_into_no_service(worker, group, items):
    items["autoscaling/target-lifecycle-state"] = "Terminated"
    reconcile_worker.run(worker, FakeMachine())
    assert {one["LifecycleHookName"] for one in group[0]} == {"drain"}


def test_a_worker_goes_into_service_by_itself(worker, group, items):
    items["autoscaling/target-lifecycle-state"] = "InService"
    assert SAID[0] in reconcile_worker.run(worker, FakeMachine())
    assert SAID[0] not in reconcile_worker.run(worker, FakeMachine())
    assert group[0] == [COMPLETED]


@pytest.mark.usefixtures("items")
def test_afterwards_nothing_of_it_needs_boto3(worker, group):
    reconcile_worker.run(worker, FakeMachine())
    assert said_without_boto3().startswith("reconcile: nothing to do\nreport: joined")
