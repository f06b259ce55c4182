"""The operator's policies (docs/iam) against everything that the engine was seen to ask of AWS."""

import json

import pytest

from components.iam.operator_policies import CLUSTER, DIRECTORY, IMPLIED, NEWER, operator_policies
from lab.machines.frontend.policy import Permission, allowed
from lab.tests.engine.program.scenario_run import ScenarioRun

TAGGED = {"aws:ResourceTag/kubernetes.io/cluster/local": "owned"}
"""Instances, volumes, launch templates and the key carry it; tests of the components see to that."""

CONCRETE = {
    "ec2:AttachVolume": "volume/vol-0a",
    "ec2:CreateLaunchTemplateVersion": "launch-template/lt-0a",
    "ec2:DeleteLaunchTemplate": "launch-template/lt-0a",
    "ec2:DeleteVolume": "volume/vol-0a",
    "ec2:DetachVolume": "volume/vol-0a",
    "ec2:ModifyInstanceAttribute": "instance/i-0a",
    "ec2:ModifyLaunchTemplate": "launch-template/lt-0a",
    "ec2:ModifyVolume": "volume/vol-0a",
    "ec2:StartInstances": "instance/i-0a",
    "ec2:StopInstances": "instance/i-0a",
    "ec2:TerminateInstances": "instance/i-0a",
}
"""Resources of the actions that are restricted and whose requests name ids only."""


def document(name: str) -> dict:
    return json.loads((DIRECTORY / f"{name}.json").read_text().replace(CLUSTER, "local"))


def resource(action: str, named: str) -> str:
    """What IAM would be asked about: a request that names an id or an ARN only is taken to be
    about something of this cluster."""
    if named != "*":
        return named
    service, _, operation = action.partition(":")
    if action in CONCRETE:
        return f"arn:aws:ec2:eu-central-1:123456789012:{CONCRETE[action]}"
    if service == "autoscaling" and not operation.startswith("Describe"):
        return (
            "arn:aws:autoscaling:eu-central-1:123456789012:autoScalingGroup:0a:"
            "autoScalingGroupName/local-workers-default"
        )
    if service == "elasticloadbalancing" and not operation.startswith("Describe"):
        return "arn:aws:elasticloadbalancing:eu-central-1:123456789012:targetgroup/local-api-1a/0a"
    if service == "kms" and operation not in {"CreateKey", "ListAliases"}:
        return "arn:aws:kms:eu-central-1:123456789012:key/0a"
    return "*"


def refused(documents: list[dict], asked: set[tuple[str, str]]) -> list[str]:
    needs = [Permission(action, resource(action, named), TAGGED) for action, named in sorted(asked)]
    return [f"{n.action} on {n.resource}" for n in needs if not allowed(documents, n)]


@pytest.fixture(scope="module")
def asked(scenarios: dict[str, ScenarioRun]) -> set[tuple[str, str]]:
    """By the provider and by the gates, in every scenario."""
    others = [scenario.wait().bench.asked() for scenario in scenarios.values()]
    found = scenarios["permitting"]["asked"].union(*others)
    # A policy is for one cluster, and one preview has another name.
    return {(action, resource) for action, resource in found if "/other/" not in resource}


def test_the_operator_may_do_what_the_engine_does(asked):
    assert refused([document(name) for name in operator_policies("local")], asked) == []


def test_the_operator_may_do_nothing_that_nobody_needs(asked):
    done = {action for action, _ in asked}
    given = {
        action
        for name in operator_policies("local")
        for statement in document(name)["Statement"]
        for action in statement["Action"]
    }
    unused = {
        action
        for action in given - done - set(IMPLIED) - NEWER
        if not (action.endswith("*") and any(one.startswith(action[:-1]) for one in done))
    }
    assert unused == set()
    assert set(IMPLIED) | NEWER <= given
    assert not set(IMPLIED) & done, "what is asked for is no longer implied"


def test_a_preview_needs_no_more_than_descriptions(permitted: ScenarioRun):
    assert permitted["previewed"].status == 0
    asked = permitted["asked by preview"]
    assert ("sts:GetCallerIdentity", "*") in asked
    assert refused([document("preview")], asked) == []
