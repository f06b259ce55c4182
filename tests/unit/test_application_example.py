"""The example application has the settings that let it survive the loss of a server."""

import re

import pytest
import yaml

from tests.recording import REPOSITORY

DIRECTORY = REPOSITORY / "examples/application"
KINDS = {"Deployment", "PodDisruptionBudget", "Service"}
EVICTING = {"node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"}
"""Taints of a Node that died, which end its pods."""


@pytest.fixture(scope="module")
def objects():
    found = [
        document
        for path in sorted(DIRECTORY.glob("*.yaml"))
        for document in yaml.safe_load_all(path.read_text())
    ]
    return {document["kind"]: document for document in found}


@pytest.fixture(scope="module")
def template(objects):
    return objects["Deployment"]["spec"]["template"]


def test_it_is_what_the_documentation_says(objects):
    assert set(objects) == KINDS
    assert {one["metadata"]["name"] for one in objects.values()} == {"web"}
    # Where it goes is said by whoever applies it.
    assert all("namespace" not in one["metadata"] for one in objects.values())


def test_everybody_means_the_same_pods(objects, template):
    labels = template["metadata"]["labels"]
    deployment, budget, service = (objects[kind]["spec"] for kind in sorted(KINDS))
    assert deployment["selector"]["matchLabels"] == labels
    assert budget["selector"]["matchLabels"] == labels
    assert service["selector"] == labels
    for spread in template["spec"]["topologySpreadConstraints"]:
        assert spread["labelSelector"]["matchLabels"] == labels


def test_neither_an_update_nor_a_drain_takes_more_than_one(objects):
    deployment = objects["Deployment"]["spec"]
    assert deployment["replicas"] >= 3
    assert deployment["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    budget = objects["PodDisruptionBudget"]["spec"]
    assert budget["maxUnavailable"] == 1
    assert budget["unhealthyPodEvictionPolicy"] == "AlwaysAllow"


def test_replicas_spread_over_what_is_left_after_a_loss(template):
    by_key = {one["topologyKey"]: one for one in template["spec"]["topologySpreadConstraints"]}
    assert by_key["kubernetes.io/hostname"]["whenUnsatisfiable"] == "DoNotSchedule"
    assert by_key["topology.kubernetes.io/zone"]["whenUnsatisfiable"] == "ScheduleAnyway"
    for spread in by_key.values():
        # A dead worker counts as one without replicas otherwise, and the next one has to go there.
        assert spread["nodeTaintsPolicy"] == "Honor"
        assert spread["matchLabelKeys"] == ["pod-template-hash"]


def test_pods_of_a_dead_worker_are_replaced_soon(template):
    tolerations = template["spec"]["tolerations"]
    assert {one["key"] for one in tolerations} == EVICTING
    for one in tolerations:
        assert (one["operator"], one["effect"]) == ("Exists", "NoExecute")
        assert one["tolerationSeconds"] <= 30


def test_a_replica_ends_after_everybody_has_heard_of_it(template):
    spec = template["spec"]
    (container,) = spec["containers"]
    assert container["lifecycle"]["preStop"]["sleep"]["seconds"] >= 5
    assert (
        spec["terminationGracePeriodSeconds"]
        > container["lifecycle"]["preStop"]["sleep"]["seconds"]
    )


def test_it_is_asked_often_whether_it_answers_and_seldom_whether_it_lives(template):
    (container,) = template["spec"]["containers"]
    ready, alive = container["readinessProbe"], container["livenessProbe"]
    assert ready["periodSeconds"] == 1
    slowness = alive["periodSeconds"] * alive["failureThreshold"]
    assert slowness > ready["periodSeconds"] * ready["failureThreshold"]
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert f"--http-port={ports['http']}" in container["args"]


def test_it_may_run_where_pods_are_restricted(template):
    spec = template["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"]
    assert spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["readOnlyRootFilesystem"] is True
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert {"requests", "limits"} == set(container["resources"])
    assert "memory" in container["resources"]["limits"]


def test_its_image_is_one_that_upstream_serves(template):
    (container,) = template["spec"]["containers"]
    assert re.fullmatch(r"registry\.k8s\.io/e2e-test-images/agnhost:\d[\w.]*", container["image"])
