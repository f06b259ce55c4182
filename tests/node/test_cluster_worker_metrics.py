"""Metrics of workers: what counts, and what does not. Alarms would ring for it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cluster.scaling_groups import ScalingGroup
from node.cluster.worker_metrics import missing, not_ready, undecided_seconds
from node.contract import POOL_LABEL
from tests.node.certificate_requests import (
    NAME,
    client_object,
    kubelet_subject,
    pem,
    renewal_object,
    serving_object,
)

REGION = "eu-central-1"
ID, OTHER = "i-0123456789abcdef0", "i-0123456789abcdef1"
NOW = datetime(2026, 11, 30, 3, tzinfo=UTC)
TEXT = pem(kubelet_subject(NAME))


def worker(instance=ID, ready="True", *, cordoned=False, labels=None, name=NAME):
    return {
        "metadata": {
            "name": name,
            "labels": {POOL_LABEL: "general"} if labels is None else labels,
        },
        "spec": {
            "providerID": f"aws:///{REGION}a/{instance}",
            **({"unschedulable": True} if cordoned else {}),
        },
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def request(made=client_object, age=1200, decided="", **spec):
    document = made(TEXT, **spec)
    document["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=age)).isoformat()
    if decided:
        document["status"] = {"conditions": [{"type": decided}]}
    return document


def undecided(*requests, nodes=None):
    return undecided_seconds(requests, [worker()] if nodes is None else nodes, REGION, NOW)


def test_without_a_request_nobody_waits():
    assert undecided() == 0
    assert undecided(nodes=()) == 0


@pytest.mark.parametrize("made", [client_object, renewal_object, serving_object])
def test_the_oldest_request_that_nobody_decided_counts(made):
    assert undecided(request(made, 60), request(made, 1200), request(made, 5)) == 1200


@pytest.mark.parametrize("decided", ["Approved", "Denied", "Failed"])
def test_who_was_answered_does_not_wait(decided):
    assert undecided(request(age=3600, decided=decided)) == 0
    assert undecided(request(age=3600, decided=decided), request(age=60)) == 60


def test_who_joins_waits_before_it_has_a_node():
    assert undecided(request(), nodes=()) == 1200
    # Whatever name it asks for: somebody has a token.
    other = client_object(pem(kubelet_subject("*")))
    other["metadata"]["creationTimestamp"] = (NOW - timedelta(seconds=60)).isoformat()
    assert undecided(other) == 60


@pytest.mark.parametrize("made", [renewal_object, serving_object])
@pytest.mark.parametrize("nodes", [(), (worker(labels={}),), (worker(name="another"),)])
def test_what_is_nobodys_to_decide_here_does_not_count(made, nodes):
    """Of a worker that has ended, and of a person's own machine."""
    assert undecided(request(made), nodes=nodes) == 0


def test_what_others_sign_does_not_count():
    signer = "kubernetes.io/kube-apiserver-client"
    assert undecided(request(signerName=signer, groups=["system:authenticated"])) == 0


def test_a_clock_that_is_ahead_is_no_age():
    assert undecided(request(age=-2)) == 0


def group(*in_service, desired=None):
    return ScalingGroup(len(in_service) if desired is None else desired, frozenset(in_service))


@pytest.mark.parametrize("ready", ["False", "Unknown"])
def test_a_worker_that_is_in_service_and_not_ready_counts(ready):
    nodes = [worker(ready=ready), worker(OTHER)]
    assert not_ready([group(ID, OTHER)], nodes, REGION) == 1
    assert missing([group(ID, OTHER)]) == 0


def test_so_does_one_whose_node_somebody_deleted():
    assert not_ready([group(ID, OTHER)], [worker(OTHER)], REGION) == 1


@pytest.mark.parametrize("ready", ["True", "False", "Unknown"])
def test_a_worker_that_is_drained_does_not_count(ready):
    """Still in service: EC2 takes its Spot Instance back, or a person looks at it."""
    assert not_ready([group(ID)], [worker(ready=ready, cordoned=True)], REGION) == 0


def test_a_worker_that_joins_or_ends_is_missing_alone():
    nodes = [worker(ready="False"), worker(OTHER)]
    assert not_ready([group(OTHER, desired=2)], nodes, REGION) == 0
    assert missing([group(OTHER, desired=2)]) == 1


def test_a_node_of_no_pool_makes_no_worker_ready():
    assert not_ready([group(ID)], [worker(labels={})], REGION) == 1


def test_a_refresh_that_is_ahead_lacks_none_and_hides_no_group_that_does():
    assert missing([group(ID, OTHER, desired=1)]) == 0
    assert missing([group(ID, OTHER, desired=1), group(desired=1)]) == 1


def test_without_pools_there_is_nothing_to_miss():
    assert (missing([]), not_ready([], [worker(ready="False")], REGION)) == (0, 0)


STATES = st.sampled_from(["ready", "silent", "cordoned", "without a node", "out of service"])


@given(st.lists(st.lists(STATES, max_size=4), max_size=3))
def test_every_machine_of_a_pool_counts_once_at_most(pools):
    groups, nodes, number = [], [], 0
    for pool in pools:
        in_service = []
        for state in pool:
            instance, number = f"i-{number:017}", number + 1
            if state != "out of service":
                in_service.append(instance)
            if state != "without a node":
                ready = "True" if state == "ready" else "Unknown"
                nodes.append(worker(instance, ready, cordoned=state == "cordoned"))
        groups.append(group(*in_service, desired=len(pool)))
    states = [state for pool in pools for state in pool]
    assert missing(groups) == states.count("out of service")
    wrong = states.count("silent") + states.count("without a node")
    assert not_ready(groups, nodes, REGION) == wrong


@given(
    st.lists(
        st.tuples(
            st.sampled_from([client_object, renewal_object, serving_object]),
            st.integers(0, 90_000),
            st.sampled_from(["", "Approved", "Denied"]),
        )
    )
)
def test_the_age_is_that_of_a_request_that_waits(asked):
    requests = [request(made, age, decided) for made, age, decided in asked]
    waiting = [age for _, age, decided in asked if not decided]
    assert undecided(*requests) == max(waiting, default=0)
