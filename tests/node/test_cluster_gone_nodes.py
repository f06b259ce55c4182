"""Nodes whose instance is gone: deleted when EC2 is sure of it, and never otherwise."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cluster.gone_nodes import KNOWN_BY, awake, certain, gone, posing, silent
from node.cluster.worker_instances import instance_of
from node.contract import POOL_LABEL

REGION = "eu-central-1"
ID, OTHER = "i-0123456789abcdef0", "i-0123456789abcdef1"
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


def node(provider_id=f"aws:///eu-central-1a/{ID}", ready="Unknown", labels=None, age=KNOWN_BY):
    return {
        "metadata": {
            "name": "a",
            "labels": {POOL_LABEL: "general"} if labels is None else labels,
            "creationTimestamp": (NOW - age).strftime("%Y-%m-%dT%H:%M:%SZ"),
        },
        "spec": {"providerID": provider_id},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize("status", ["Unknown", "False"])
def test_a_node_that_is_not_ready_is_asked_about(status):
    found = node(ready=status)
    assert silent([found], REGION) == {ID: found}
    assert awake([found], REGION) == {}


def test_a_node_that_is_ready_is_asked_about_apart():
    found = node(ready="True")
    assert awake([found], REGION) == {ID: found}
    # Nor does it hide another one that says to be the same instance.
    other = node()
    assert silent([other, found], REGION) == {ID: other}


@pytest.mark.parametrize(
    "other",
    [
        node(ready="True"),
        node(labels={}),
        node(provider_id=""),
        node(provider_id=f"aws:///us-east-1a/{ID}"),
        node(provider_id="gce://a/b/c"),
        node(provider_id=f"aws:///eu-central-1a/{ID}/more"),
        {"metadata": {"name": "a"}, "spec": {}},
    ],
)
def test_no_other_node_is_ever_asked_about(other):
    assert silent([other], REGION) == {}
    conditions = {"conditions": [{"type": "Ready", "status": "True"}]}
    if other["spec"] != node()["spec"] or not other["metadata"].get("labels"):
        assert awake([{**other, "status": conditions}], REGION) == {}


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ({ID: "terminated"}, {ID}),
        ({}, {ID}),
        ({ID: "shutting-down"}, set()),
        ({ID: "stopped"}, set()),
        ({ID: "running"}, set()),
    ],
)
def test_gone_is_only_what_cannot_come_back(states, expected):
    assert gone({ID}, states) == expected


def poses(states, age=KNOWN_BY):
    return posing({ID: node(ready="True", age=age), OTHER: node(ready="True")}, states, NOW)


@pytest.mark.parametrize("age", [timedelta(0), KNOWN_BY])
def test_who_is_ready_with_an_instance_that_ec2_calls_terminated_is_somebody_else(age):
    assert poses({ID: "terminated", OTHER: "running"}, age) == {ID}
    # Whatever it says of the others.
    assert poses({ID: "terminated"}, age) == {ID}


def test_who_is_ready_with_an_instance_that_ec2_has_forgotten_is_somebody_else():
    assert poses({OTHER: "running"}) == {ID}


def test_an_instance_that_ec2_does_not_show_yet_keeps_its_node():
    assert poses({OTHER: "running"}, KNOWN_BY - timedelta(seconds=1)) == set()


@pytest.mark.parametrize("states", [{}, {OTHER: "terminated"}])
def test_an_answer_that_shows_no_worker_is_not_the_end_of_all(states):
    assert ID not in poses(states)


@pytest.mark.parametrize("state", ["pending", "running", "shutting-down", "stopping", "stopped"])
def test_who_is_ready_with_an_instance_that_may_be_there_stays(state):
    assert poses({ID: state, OTHER: "running"}) == set()


@given(
    st.dictionaries(
        st.sampled_from([f"i-{number:017}" for number in range(4)]),
        st.tuples(
            st.sampled_from(["", "running", "shutting-down", "terminated"]),
            st.integers(0, 7200),
        ),
    )
)
def test_no_node_that_is_ready_goes_without_a_reason(workers):
    nodes = {
        one: node(ready="True", age=timedelta(seconds=age)) for one, (_, age) in workers.items()
    }
    states = {one: state for one, (state, _) in workers.items() if state}
    for one in posing(nodes, states, NOW):
        state, age = workers[one]
        assert state in {"", "terminated"}
        assert state or age >= KNOWN_BY.total_seconds()
        assert state or {"running", "shutting-down"} & set(states.values())


def test_once_is_not_enough():
    assert certain({ID}, ()) == set()
    assert certain({ID}, {ID}) == {ID}
    assert certain((), {ID}) == set()


def test_ids_of_instances():
    assert instance_of(f"aws:///eu-central-1a/{ID}", REGION) == ID
    assert instance_of("aws:///eu-central-1a/i-01234567", REGION) == "i-01234567"
    assert instance_of(f"aws:///eu-central-11a/{ID}", REGION) is None
