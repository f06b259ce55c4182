import pytest

from components.gates.subject import Subject, subject_of


@pytest.mark.parametrize(
    ("name", "subject"),
    [
        ("prod-etcd-2", Subject("prod", "etcd-2")),
        ("prod-etcd-2-data", Subject("prod", "etcd-2")),
        ("prod-api-0", Subject("prod", "api-0")),
        ("my-etcd-1-etcd-6-data", Subject("my-etcd-1", "etcd-6")),
        ("prod-etcd", None),
        ("prod-etcd-2-status", None),
        ("etcd-2", None),
        ("prod-etcd-2-data\n", None),
        ("", None),
    ],
)
def test_names_tell_the_node(name, subject):
    assert subject_of(name) == subject


def test_a_subject_reads_as_its_machine_is_named():
    assert str(Subject("prod", "etcd-2")) == "prod-etcd-2"
