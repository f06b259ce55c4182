"""Drains with nowhere to go: all Nodes are cordoned, and stay so."""

import pytest

from node.cluster import stranded
from node.cluster.agent import Agent, _Term
from node.cluster.kubelet_requests import Requests
from node.cluster.scaling_groups import ScalingGroup
from node.cluster.stranded import changes, everywhere
from node.cluster.worker_instances import Ec2
from node.contract import STRANDED_ANNOTATION
from node.errors import AwsError
from tests.node.conftest import REGION


def a_node(name, *, cordoned=False, told=False):
    spec = {"unschedulable": True} if cordoned else {}
    annotations = {STRANDED_ANNOTATION: "true"} if told else {}
    return {"metadata": {"name": name, "annotations": annotations}, "spec": spec}


OPEN, SHUT = a_node("open"), a_node("shut", cordoned=True)
TOLD = a_node("told", cordoned=True, told=True)
LONG = stranded.SECONDS


@pytest.mark.parametrize(
    ("nodes", "all_shut"),
    [([], False), ([OPEN], False), ([SHUT, OPEN], False), ([SHUT], True), ([SHUT, TOLD], True)],
)
def test_nowhere_is_when_there_are_nodes_and_all_are_cordoned(nodes, all_shut):
    assert everywhere(nodes) is all_shut


@pytest.mark.parametrize(
    ("nodes", "seconds", "changed"),
    [
        ([SHUT], 0.0, []),
        ([SHUT], LONG - 1, []),
        ([SHUT, TOLD], LONG, [("shut", "true")]),
        ([TOLD], LONG, []),
        # Another look by a new leader: the time begins again, and what was told stays.
        ([TOLD], 0.0, []),
        ([OPEN, TOLD], None, [("told", None)]),
        ([OPEN, SHUT], None, []),
    ],
)
def test_nodes_are_told_once_and_told_otherwise_when_it_is_over(nodes, seconds, changed):
    found = [(one["metadata"]["name"], value) for one, value in changes(nodes, seconds)]
    assert found == changed


def test_a_node_without_annotations_is_told():
    bare = {"metadata": {"name": "bare"}, "spec": {"unschedulable": True}}
    assert list(changes([bare], LONG)) == [(bare, "true")]


class FakeApi:
    """Nodes that can be annotated."""

    def __init__(self):
        self.told = []

    def annotate(self, path, uid, key, value):
        self.told.append((path, uid, key, value))


class FakeScaling:
    """Pools that are to have a number of machines."""

    def __init__(self, desired):
        self.machines = desired

    def groups(self, cluster):
        assert cluster == "test"
        if self.machines is None:
            raise AwsError("Auto Scaling is away")
        return (ScalingGroup("a", 0, frozenset()), ScalingGroup("b", self.machines, frozenset()))


SHUT_NODE = {"metadata": {"name": "a", "uid": "u"}, "spec": {"unschedulable": True}}


@pytest.fixture
def agent(node, aws):
    settings = node("api-0", parameters={"joinToken": "/token", "cluster": "/cluster"})
    return Agent(settings, Ec2(REGION, "test"))


def test_where_no_pool_is_to_have_a_machine_nobody_waits_for_one(agent):
    agent._scaling = FakeScaling(0)
    term, api = _Term(Requests(agent._ec2, REGION)), FakeApi()
    term.nodes = [SHUT_NODE, {"metadata": {"name": "b", "uid": "v"}, "spec": {}}]
    assert list(agent._tell_stranded(api, term, 0.0)) == []
    term.nodes = [SHUT_NODE]
    assert list(agent._tell_stranded(api, term, 15.0)) == ["told a that no other node takes pods"]


def test_without_an_answer_of_aws_the_time_alone_counts(agent):
    agent._scaling = FakeScaling(None)
    term, api = _Term(Requests(agent._ec2, REGION)), FakeApi()
    term.nodes = [SHUT_NODE]
    for now in (0.0, LONG - 1):
        with pytest.raises(AwsError):
            list(agent._tell_stranded(api, term, now))
    assert list(agent._tell_stranded(api, term, LONG)) == ["told a that no other node takes pods"]


def test_the_agent_tells_after_the_time_and_takes_it_back(agent):
    agent._scaling = FakeScaling(1)
    term, api = _Term(Requests(agent._ec2, REGION)), FakeApi()
    assert list(agent._tell_stranded(api, term, 0.0)) == []
    term.nodes = [SHUT_NODE]
    assert list(agent._tell_stranded(api, term, 100.0)) == []
    assert list(agent._tell_stranded(api, term, 100.0 + LONG - 1)) == []
    said = list(agent._tell_stranded(api, term, 100.0 + LONG))
    assert said == ["told a that no other node takes pods"]
    annotations = {STRANDED_ANNOTATION: "true"}
    told = {**SHUT_NODE, "metadata": {**SHUT_NODE["metadata"], "annotations": annotations}}
    term.nodes = [told, {"metadata": {"name": "b", "uid": "v"}, "spec": {}}]
    said = list(agent._tell_stranded(api, term, 500.0))
    assert said == ["told a that some other node takes pods"]
    assert api.told == [
        ("/api/v1/nodes/a", "u", STRANDED_ANNOTATION, "true"),
        ("/api/v1/nodes/a", "u", STRANDED_ANNOTATION, None),
    ]
