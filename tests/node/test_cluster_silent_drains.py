"""Drains of silent workers are ended, since nobody is left to do them. Auto Scaling is a stub here;
`lab/tests/cloud/test_silent_drains.py` has groups and hooks."""

from datetime import UTC, datetime

import pytest
from botocore.stub import Stubber

from node.cluster.agent import NODES_INTERVAL, Agent, _Term
from node.cluster.kubelet_requests import Requests
from node.cluster.scaling_groups import PER_REQUEST, AutoScaling, ScalingGroup
from node.cluster.silent_drains import hopeless, lately, unheard
from node.cluster.worker_instances import Ec2
from node.contract import DRAIN_SECONDS, POOL_LABEL
from node.errors import AwsError
from tests.node.conftest import REGION

ID, OTHER = "i-0123456789abcdef0", "i-0123456789abcdef1"


def a_node(instance=ID, ready="Unknown", labels=None):
    return {
        "metadata": {
            "name": f"ip-{instance}",
            "labels": {POOL_LABEL: "general"} if labels is None else labels,
        },
        "spec": {"providerID": f"aws:///{REGION}a/{instance}"},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def test_unheard_is_who_does_not_even_say_that_it_is_not_ready():
    assert unheard([a_node()], REGION).keys() == {ID}
    for other in (a_node(ready="True"), a_node(ready="False"), a_node(labels={})):
        assert unheard([other], REGION) == {}
    without = {**a_node(), "status": {}}
    assert unheard([without], REGION) == {}


def test_once_is_not_enough():
    assert hopeless([ID], ()) == []
    assert hopeless([ID, OTHER], [ID]) == [ID]
    assert hopeless((), [ID]) == []


@pytest.fixture
def scaling(aws):
    made = AutoScaling(REGION)
    with Stubber(made._client) as stub:
        made.stub = stub
        yield made
        stub.assert_no_pending_responses()


def member(instance, state="Terminating:Wait"):
    return {
        "InstanceId": instance,
        "AutoScalingGroupName": "test-workers-general",
        "AvailabilityZone": f"{REGION}a",
        "LifecycleState": state,
        "HealthStatus": "UNHEALTHY",
        "ProtectedFromScaleIn": False,
    }


def described(scaling, asked, *members):
    scaling.stub.add_response(
        "describe_auto_scaling_instances",
        {"AutoScalingInstances": list(members)},
        {"InstanceIds": asked},
    )


STATES = ("Pending", "Pending:Wait", "InService", "Standby", "Terminating", "Terminating:Wait")
COMPLETED = {
    "LifecycleHookName": "drain",
    "AutoScalingGroupName": "test-workers-general",
    "InstanceId": ID,
    "LifecycleActionResult": "CONTINUE",
}


def test_only_who_waits_for_the_end_of_a_drain_is_found(scaling):
    states = ("InService", "Terminating", "Terminating:Proceed", "Terminating:Wait")
    described(scaling, [ID, OTHER], *(member(f"i-{state}", state) for state in states))
    assert scaling.waiting([OTHER, ID]) == {"i-Terminating:Wait": "test-workers-general"}


def test_nobody_is_asked_about_nobody(scaling):
    assert scaling.waiting([]) == {}


def test_many_are_asked_about_in_several_requests(scaling):
    ids = [f"i-{number:017}" for number in range(PER_REQUEST + 1)]
    described(scaling, ids[:PER_REQUEST], member(ids[0]))
    described(scaling, ids[PER_REQUEST:], member(ids[PER_REQUEST]))
    assert scaling.waiting(ids).keys() == {ids[0], ids[PER_REQUEST]}


def in_group(instance, state):
    known = member(instance, state)
    del known["AutoScalingGroupName"]
    return known


def test_groups_tell_what_they_are_to_have_and_what_is_in_service(scaling):
    asked = {"Filters": [{"Name": "tag:ha-kubernetes:cluster", "Values": ["test"]}]}
    groups = [
        {
            "AutoScalingGroupName": f"test-workers-{name}",
            "MinSize": 0,
            "MaxSize": 3,
            "DesiredCapacity": desired,
            "DefaultCooldown": 300,
            "AvailabilityZones": [f"{REGION}a"],
            "HealthCheckType": "EC2",
            "CreatedTime": datetime(2026, 11, 29, tzinfo=UTC),
            **({"Instances": instances} if instances else {}),
        }
        for name, desired, instances in (
            ("blue", 2, [in_group(f"i-{state}", state) for state in STATES]),
            ("green", 1, []),
        )
    ]
    scaling.stub.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": groups}, asked)
    assert scaling.groups("test") == (
        ScalingGroup("test-workers-blue", 2, frozenset({"i-InService"})),
        ScalingGroup("test-workers-green", 1, frozenset()),
    )
    scaling.stub.add_response("describe_auto_scaling_groups", {"AutoScalingGroups": []}, asked)
    assert scaling.groups("test") == ()


def test_a_drain_is_ended(scaling):
    scaling.stub.add_response("complete_lifecycle_action", {}, COMPLETED)
    assert scaling.complete(ID, "test-workers-general")


def test_one_that_ended_meanwhile_is_not(scaling):
    scaling.stub.add_client_error(
        "complete_lifecycle_action",
        "ValidationError",
        "No active Lifecycle Action found with instance ID i-0",
    )
    assert not scaling.complete(ID, "test-workers-general")


def test_what_aws_refuses_is_an_error(scaling):
    scaling.stub.add_client_error("complete_lifecycle_action", "AccessDenied", "no")
    with pytest.raises(AwsError, match="no"):
        scaling.complete(ID, "test-workers-general")


def test_the_agent_ends_a_drain_at_the_second_look(node, aws):
    settings = node("api-0", parameters={"joinToken": "/token", "cluster": "/cluster"})
    agent = Agent(settings, Ec2(REGION, "test"))
    term = _Term(Requests(agent._ec2, REGION))
    assert list(agent._end_drains(None, term, 0.0)) == []
    term.nodes = [a_node(), a_node(OTHER, "True")]
    with Stubber(agent._scaling._client) as stub:
        agent._scaling.stub = stub
        # Nobody is asked at the first look.
        assert list(agent._end_drains(None, term, NODES_INTERVAL)) == []
        described(agent._scaling, [ID], member(ID, "InService"))
        assert list(agent._end_drains(None, term, 2 * NODES_INTERVAL)) == []
        described(agent._scaling, [ID], member(ID))
        stub.add_response("complete_lifecycle_action", {}, COMPLETED)
        said = list(agent._end_drains(None, term, 3 * NODES_INTERVAL))
        assert said == [f"ended the drain of ip-{ID}: {ID} is silent"]
        stub.assert_no_pending_responses()


def test_a_deletion_is_remembered_for_as_long_as_a_drain_takes():
    deleted = {ID: ("a", 0.0), OTHER: ("b", 1.0)}
    assert lately(deleted, DRAIN_SECONDS - 1) == deleted
    assert lately(deleted, DRAIN_SECONDS) == {OTHER: ("b", 1.0)}


class Nodes:
    """The API server's Nodes."""

    def __init__(self, *nodes):
        self.nodes = list(nodes)

    def get(self, _path, **_query):
        return {"items": list(self.nodes)}

    def delete(self, path, _uid):
        self.nodes = [one for one in self.nodes if not path.endswith(one["metadata"]["name"])]


def test_the_drain_of_a_worker_ends_whose_node_was_deleted_before_it_was_unheard(node, aws):
    settings = node("api-0", parameters={"joinToken": "/token", "cluster": "/cluster"})
    agent = Agent(settings, Ec2(REGION, "test"))
    term = _Term(Requests(agent._ec2, REGION))
    gone = a_node(ready="False")
    gone["metadata"]["uid"] = "1"
    api = Nodes(gone)
    for number in range(2):
        list(agent._remove_nodes(api, term, number * NODES_INTERVAL))
    assert api.nodes == []
    with Stubber(agent._scaling._client) as stub:
        agent._scaling.stub = stub
        described(agent._scaling, [ID], member(ID))
        stub.add_response("complete_lifecycle_action", {}, COMPLETED)
        said = list(agent._end_drains(api, term, NODES_INTERVAL))
        assert said == [f"ended the drain of ip-{ID}: {ID} is gone"]
        # Nobody is asked about it for ever.
        assert list(agent._end_drains(api, term, NODES_INTERVAL + DRAIN_SECONDS)) == []
        stub.assert_no_pending_responses()
