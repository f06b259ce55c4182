"""Nodes whose instance is gone: deleted when EC2 is sure of it, and never otherwise."""

import pytest

from node.cluster.gone_nodes import certain, gone, silent
from node.cluster.worker_instances import instance_of
from node.contract import POOL_LABEL

REGION = "eu-central-1"
ID = "i-0123456789abcdef0"


def node(provider_id=f"aws:///eu-central-1a/{ID}", ready="Unknown", labels=None):
    return {
        "metadata": {"name": "a", "labels": {POOL_LABEL: "general"} if labels is None else labels},
        "spec": {"providerID": provider_id},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize("status", ["Unknown", "False"])
def test_a_node_that_is_not_ready_is_asked_about(status):
    found = node(ready=status)
    assert silent([found], REGION) == {ID: found}


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


def test_once_is_not_enough():
    assert certain({ID}, ()) == set()
    assert certain({ID}, {ID}) == {ID}
    assert certain((), {ID}) == set()


def test_ids_of_instances():
    assert instance_of(f"aws:///eu-central-1a/{ID}", REGION) == ID
    assert instance_of("aws:///eu-central-1a/i-01234567", REGION) == "i-01234567"
    assert instance_of(f"aws:///eu-central-11a/{ID}", REGION) is None
