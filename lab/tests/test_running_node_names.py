"""What people call machines."""

from dataclasses import replace

import pytest

from lab.lab_errors import LabError
from lab.running.node_names import choose, choose_word, cluster_of, nodes, tier


@pytest.fixture
def instances(instance):
    named = ("local-etcd-1", "local-etcd-0", "local-api-0")
    return [replace(instance, id=f"i-{n}", name=name) for n, name in enumerate(named)]


def test_names_are_without_the_clusters(instances):
    assert list(nodes(instances, "local")) == ["api-0", "etcd-0", "etcd-1"]
    assert list(nodes(instances, None)) == ["local-api-0", "local-etcd-0", "local-etcd-1"]


def test_a_successor_beside_its_predecessor_has_a_name_of_its_own(instances):
    both = [*instances, replace(instances[2], id="i-9")]
    found = nodes(both, "local")
    assert found["api-0"].instance.id == "i-2"
    assert found["api-0/i-9"].instance.id == "i-9"
    assert tier("api-0/i-9") == "api"


def test_the_cluster_is_read_from_the_tags():
    tags = [{"Key": "Name"}, {"Key": "kubernetes.io/cluster/east"}]
    assert cluster_of(tags) == "east"
    assert cluster_of([{"Key": "Name"}]) is None


@pytest.mark.parametrize("given", ["etcd-0", "local-etcd-0", "i-1"])
def test_a_machine_is_meant_by_name_tag_or_id(instances, given):
    assert choose(given, nodes(instances, "local")).instance.id == "i-1"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("etcd_0", "There is no machine 'etcd_0': did you mean etcd-0?"),
        ("xyz", "There is no machine 'xyz': there are api-0, etcd-0, etcd-1."),
        ("etcd", "There is no machine 'etcd': did you mean etcd-0?"),
    ],
)
def test_what_is_meant_by_no_name_is_said(instances, given, sentence):
    with pytest.raises(LabError) as raised:
        choose(given, nodes(instances, "local"))
    assert str(raised.value).replace("etcd-1?", "etcd-0?") == sentence


def test_where_there_is_nothing_no_name_is_suggested():
    with pytest.raises(LabError, match=r"^There is no zone or service 'b', and no other\.$"):
        choose_word("zone or service", "b", [])
    assert choose_word("zone or service", "a", ["a"]) == "a"
