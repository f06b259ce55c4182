import pytest

from components.gates.node_ref import NodeRef, node_ref_of


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("prod-etcd-2", NodeRef("prod", "etcd-2")),
        ("prod-etcd-2-data", NodeRef("prod", "etcd-2")),
        ("prod-api-0", NodeRef("prod", "api-0")),
        ("my-etcd-1-etcd-6-data", NodeRef("my-etcd-1", "etcd-6")),
        ("prod-etcd", None),
        ("prod-etcd-2-status", None),
        ("etcd-2", None),
        ("prod-etcd-2-data\n", None),
        ("", None),
    ],
)
def test_names_tell_the_node(name, subject):
    assert node_ref_of(name) == subject


def test_a_subject_reads_as_its_machine_is_named():
    assert str(NodeRef("prod", "etcd-2")) == "prod-etcd-2"
