"""Applying objects: when, by force or not, and what is deleted."""

import pytest

from node.cluster.applying import AGAIN, PRUNED, Applied
from node.cluster.local_api import RESOURCES, ApiError, path_of
from node.errors import NodeError


def config_map(name="a", value="1", namespace="kube-system"):
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": name, "namespace": namespace},
        "data": {"key": value},
    }


class FakeApi:
    """Remembers what it is asked for; refuses what a test says."""

    def __init__(self):
        self.applied, self.deleted = [], []
        self.refusals, self.found = {}, {}

    def apply(self, wanted, *, force=False):
        status = self.refusals.get(path_of(wanted))
        if status and not (force and status == 409):
            raise ApiError(status, 'conflict with "kubectl-edit": .data.key')
        self.applied.append((wanted["metadata"]["name"], force))

    def get(self, path, **query):
        assert query == {"labelSelector": "app.kubernetes.io/managed-by=ha-kubernetes"}
        return {"items": self.found.get(path, [])}

    def delete(self, path, uid):
        self.deleted.append((path, uid))


@pytest.fixture
def api():
    return FakeApi()


def test_an_object_is_applied_when_it_changes_and_again_later(api):
    applied = Applied()
    assert list(applied.keep(api, [config_map()], 0)) == []
    list(applied.keep(api, [config_map()], AGAIN - 1))
    assert api.applied == [("a", False)]
    list(applied.keep(api, [config_map(value="2")], AGAIN - 1))
    assert len(api.applied) == 2
    list(applied.keep(api, [config_map(value="2")], 2 * AGAIN - 1))
    assert len(api.applied) == 3


def test_the_first_round_of_a_machine_applies_whatever_its_clock_says(api):
    list(Applied().keep(api, [config_map()], 1.0))
    assert api.applied == [("a", False)]


def test_what_somebody_changed_is_taken_back_and_said(api):
    api.refusals[path_of(config_map())] = 409
    said = list(Applied().keep(api, [config_map()], 0))
    assert api.applied == [("a", True)]
    assert len(said) == 1
    assert said[0].startswith("took back ConfigMap kube-system/a: ")
    assert "kubectl-edit" in said[0]


def test_what_was_taken_back_is_said_whatever_fails_after_it(api):
    api.refusals = {path_of(config_map("a")): 409, path_of(config_map("b")): 500}
    said = []
    with pytest.raises(NodeError, match="ConfigMap kube-system/b"):
        said.extend(Applied().keep(api, [config_map("a"), config_map("b")], 0))
    assert [line.partition(":")[0] for line in said] == ["took back ConfigMap kube-system/a"]


def test_one_that_fails_keeps_no_other_from_being_applied(api):
    applied = Applied()
    api.refusals[path_of(config_map("a"))] = 500
    with pytest.raises(NodeError, match=r"ConfigMap kube-system/a: .*500"):
        list(applied.keep(api, [config_map("a"), config_map("b")], 0))
    assert api.applied == [("b", False)]
    api.refusals.clear()
    list(applied.keep(api, [config_map("a"), config_map("b")], 1))
    assert api.applied == [("b", False), ("a", False)]


def test_a_default_that_a_person_has_set_is_left_and_said_once(api):
    applied = Applied()
    api.refusals[path_of(config_map())] = 409
    assert len(list(applied.offer(api, [config_map()], 0))) == 1
    assert list(applied.offer(api, [config_map()], AGAIN)) == []
    assert api.applied == []
    api.refusals.clear()
    assert list(applied.offer(api, [config_map()], 2 * AGAIN)) == []
    assert api.applied == [("a", False)]


def test_a_default_that_cannot_be_set_is_an_error(api):
    api.refusals[path_of(config_map())] = 403
    with pytest.raises(NodeError, match="403"):
        list(Applied().offer(api, [config_map()], 0))


def listed(name, manager="ha-kubernetes", operation="Apply"):
    """An item of a list, which has neither kind nor version."""
    return {
        "metadata": {
            "name": name,
            "namespace": "kube-system",
            "uid": f"uid-{name}",
            "managedFields": [
                {"manager": "kube-controller-manager", "operation": "Update"},
                {"manager": manager, "operation": operation},
            ],
        }
    }


def test_what_is_no_longer_wanted_is_deleted(api):
    api.found[RESOURCES["v1/ConfigMap"][0]] = [listed("a"), listed("old")]
    said = list(Applied().prune(api, [config_map("a")], 0))
    assert api.deleted == [("/api/v1/namespaces/kube-system/configmaps/old", "uid-old")]
    assert said == ["deleted ConfigMap kube-system/old, which is no longer wanted"]


@pytest.mark.parametrize(
    ("manager", "operation"), [("kubectl", "Apply"), ("ha-kubernetes", "Update"), ("x", "Update")]
)
def test_what_somebody_else_made_under_the_label_stays(api, manager, operation):
    api.found[RESOURCES["v1/ConfigMap"][0]] = [listed("theirs", manager, operation)]
    assert list(Applied().prune(api, [], 0)) == []
    assert api.deleted == []


def test_nothing_is_deleted_that_takes_others_along(api):
    assert not any("Namespace" in kind or "Secret" in kind or "Node" in kind for kind in PRUNED)


def test_lists_are_asked_for_every_few_minutes(api):
    applied = Applied()
    list(applied.prune(api, [], 0))
    api.found[RESOURCES["v1/ConfigMap"][0]] = [listed("old")]
    assert list(applied.prune(api, [], AGAIN - 1)) == []
    assert len(list(applied.prune(api, [], AGAIN))) == 1
