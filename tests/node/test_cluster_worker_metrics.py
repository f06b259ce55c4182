"""Metrics of workers: what counts, and what does not. Alarms would ring for it."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cluster.scaling_groups import ScalingGroup
from node.cluster.worker_metrics import Shortages, Unready, undecided_seconds
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


def worker(instance=ID, ready="True", *, age=600, cordoned=False, labels=None, name=NAME):
    since = (NOW - timedelta(seconds=age)).isoformat()
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": "2026-11-01T00:00:00Z",
            "labels": {POOL_LABEL: "general"} if labels is None else labels,
        },
        "spec": {
            "providerID": f"aws:///{REGION}a/{instance}",
            **({"unschedulable": True} if cordoned else {}),
        },
        "status": {
            "conditions": [
                {
                    "type": "DiskPressure",
                    "status": "False",
                    "lastTransitionTime": "2026-11-01T00:00:00Z",
                },
                {"type": "Ready", "status": ready, "lastTransitionTime": since},
            ]
        },
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


def group(*in_service, name="general", desired=None):
    return ScalingGroup(
        name, len(in_service) if desired is None else desired, frozenset(in_service)
    )


def not_ready(*nodes, groups=None):
    return Unready().seconds(groups or [group(ID, OTHER)], nodes, REGION, NOW)


@pytest.mark.parametrize("ready", ["False", "Unknown"])
def test_the_worker_in_service_that_has_not_been_ready_longest_counts(ready):
    assert not_ready(worker(ready=ready), worker(OTHER, age=9999)) == 600
    assert not_ready(worker(ready=ready), worker(OTHER, ready, age=9999)) == 9999


def test_a_node_without_a_condition_has_not_been_ready_since_it_was_made():
    node = worker(ready="False")
    del node["status"]
    assert not_ready(node) == (NOW - datetime(2026, 11, 1, tzinfo=UTC)).total_seconds()


def test_a_kubelet_that_says_so_now_and_then_is_no_readier_for_it():
    unready, looks = Unready(), [(600, "Unknown"), (0, "False"), (30, "Unknown"), (0, "False")]
    said = [
        unready.seconds([group(ID)], [worker(ready=ready, age=age)], REGION, NOW)
        for age, ready in looks
    ]
    assert said == [600] * 4
    assert unready.seconds([group(ID)], [worker()], REGION, NOW) == 0
    assert unready.seconds([group(ID)], [worker(ready="False", age=5)], REGION, NOW) == 5


@pytest.mark.parametrize("ready", ["True", "False", "Unknown"])
def test_a_worker_that_is_drained_does_not_count(ready):
    """Still in service: EC2 takes its Spot Instance back, or a person looks at it."""
    assert not_ready(worker(ready=ready, cordoned=True)) == 0


def test_a_worker_that_joins_or_ends_does_not_count():
    assert not_ready(worker(ready="False"), groups=[group(OTHER, desired=2)]) == 0


def test_a_node_of_no_pool_does_not_count():
    assert not_ready(worker(ready="False", labels={})) == 0


def test_without_pools_there_is_nothing_to_miss():
    assert not_ready(worker(ready="False"), groups=[group()]) == 0
    assert Shortages().seconds([], 0) == 0


def test_a_group_is_short_for_as_long_as_none_comes():
    short, whole = group(ID, desired=2), group(ID, OTHER)
    shortages = Shortages()
    assert [shortages.seconds([short], now) for now in (10, 40, 70)] == [0, 30, 60]
    assert shortages.seconds([whole], 100) == 0
    assert [shortages.seconds([short], now) for now in (130, 160)] == [0, 30]


def test_a_group_that_grows_faster_than_its_machines_come_is_no_trouble_while_they_come():
    shortages, there = Shortages(), []
    for number in range(100):
        there.append(f"i-{number:017}")
        assert shortages.seconds([group(*there, desired=200)], 300 * number) == 0
    assert shortages.seconds([group(*there, desired=200)], 300 * 99 + 2000) == 2000


def test_one_that_goes_is_none_that_comes():
    shortages = Shortages()
    shortages.seconds([group(ID, OTHER, desired=3)], 0)
    assert shortages.seconds([group(ID, desired=3)], 60) == 60


def test_a_refresh_that_is_ahead_lacks_none_and_hides_no_group_that_does():
    shortages = Shortages()
    ahead = group(ID, OTHER, name="ahead", desired=1)
    for now in (0, 60):
        assert Shortages().seconds([ahead], now) == 0
        lacks = shortages.seconds([ahead, group(desired=1)], now)
    assert lacks == 60


@given(
    st.lists(
        st.lists(
            st.tuples(st.integers(0, 3), st.frozensets(st.sampled_from("abc"))),
            min_size=2,
            max_size=2,
        ),
        max_size=8,
    )
)
def test_no_shortage_is_older_than_the_last_worker_that_came(looks):
    """Against what a reader of all looks would say."""
    shortages = Shortages()
    for last in range(len(looks)):
        groups = [
            ScalingGroup(str(number), desired, there)
            for number, (desired, there) in enumerate(looks[last])
        ]
        ages = [0]
        for number in range(2):
            age = 0
            for look in range(last, -1, -1):
                desired, there = looks[look][number]
                if len(there) >= desired:
                    break
                age = last - look
                if look and there - looks[look - 1][number][1]:
                    break
            ages.append(age)
        assert shortages.seconds(groups, last) == max(ages)


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
