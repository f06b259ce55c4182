"""Memberships as etcd words them and as Parameter Store does, and etcd's first settings."""

import pytest

from node.errors import NodeError
from node.etcd.initial_cluster import forming, joining
from node.etcd.members import Entry, at, entries
from node.membership import Formation, Member, formation, members

VOTER = Entry("8e9e05c52164694d", "etcd-0", "10.0.224.4", voter=True, started=True)
LEARNER = Entry("1f", "", "10.0.224.7", voter=False, started=False)
ETCDCTL = [
    {
        "ID": 0x8E9E05C52164694D,
        "name": "etcd-0",
        "peerURLs": ["https://10.0.224.4:2380"],
        "clientURLs": ["https://10.0.224.4:2379"],
    },
    {"ID": 0x1F, "peerURLs": ["https://10.0.224.7:2380"], "isLearner": True},
]
PEER = [
    {
        "id": 0x8E9E05C52164694D,
        "peerURLs": ["https://10.0.224.4:2380"],
        "name": "etcd-0",
        "clientURLs": ["https://10.0.224.4:2379"],
    },
    {"id": 0x1F, "peerURLs": ["https://10.0.224.7:2380"], "isLearner": True, "name": ""},
]


@pytest.mark.parametrize("words", [ETCDCTL, PEER])
def test_etcdctl_and_peers_mean_the_same(words):
    assert entries(words) == (VOTER, LEARNER)


@pytest.mark.parametrize(
    "damaged",
    [
        [{}],
        ["etcd-0"],
        [3],
        3,
        [{"ID": "8e", "peerURLs": ["https://10.0.224.4:2380"]}],
        [{"ID": 1, "peerURLs": []}],
        [{"ID": 1, "peerURLs": None}],
        [{"ID": None, "peerURLs": ["https://10.0.224.4:2380"]}],
    ],
)
def test_what_is_no_membership_is_told_apart(damaged):
    with pytest.raises((KeyError, TypeError, ValueError, AttributeError, IndexError)):
        entries(damaged)


def test_a_member_is_found_by_its_address():
    assert at("10.0.224.7", (VOTER, LEARNER)) == LEARNER
    assert at("10.0.224.9", (VOTER, LEARNER)) is None
    assert at("10.0.224.9", ()) is None


def test_a_founding_member_starts_with_what_the_marker_says():
    founders = tuple(Member(f"etcd-{n}", f"10.0.224.{4 + n}") for n in range(2))
    assert forming(Formation(formed=False, token="a-token", members=founders)) == (
        "ETCD_INITIAL_CLUSTER=etcd-0=https://10.0.224.4:2380,etcd-1=https://10.0.224.5:2380\n"
        "ETCD_INITIAL_CLUSTER_STATE=new\n"
        "ETCD_INITIAL_CLUSTER_TOKEN=a-token\n"
    )


def test_a_joining_member_starts_with_all_that_are_there_and_its_own_name():
    other = Entry("2a", "", "10.0.224.8", voter=True, started=False)
    assert joining("etcd-3", LEARNER, (VOTER, LEARNER, other), "a-token") == (
        "ETCD_INITIAL_CLUSTER=etcd-0=https://10.0.224.4:2380,etcd-3=https://10.0.224.7:2380,"
        "10.0.224.8=https://10.0.224.8:2380\n"
        "ETCD_INITIAL_CLUSTER_STATE=existing\n"
        "ETCD_INITIAL_CLUSTER_TOKEN=a-token\n"
    )


ONE, TWO = ({"name": f"etcd-{n}", "address": f"10.0.224.{4 + n}"} for n in range(2))


def test_the_desired_members_are_read():
    assert members([ONE, {**TWO, "zone": "b"}]) == (
        Member("etcd-0", "10.0.224.4"),
        Member("etcd-1", "10.0.224.5"),
    )


@pytest.mark.parametrize(
    "damaged",
    [
        None,
        3,
        "etcd-0",
        [],
        {},
        [ONE, "etcd-1"],
        [ONE, {"name": "etcd-1"}],
        [ONE, {"name": "etcd-1", "address": "somewhere"}],
        [ONE, {"name": "etcd-1", "address": None}],
        [ONE, {"name": ["etcd-1"], "address": "10.0.224.5"}],
        [ONE, ONE],
        [ONE, {**TWO, "name": "etcd-0"}],
        [ONE, {**TWO, "address": "10.0.224.4"}],
    ],
)
def test_a_list_that_would_leave_somebody_out_is_refused(damaged):
    with pytest.raises(NodeError, match=r"^the etcd members parameter is damaged .*run pulumi up$"):
        members(damaged)


@pytest.mark.parametrize(
    "damaged",
    [None, {}, [], {"formed": False, "token": "t"}, {"formed": False, "token": "t", "members": []}],
)
def test_a_marker_that_is_damaged_is_refused(damaged):
    with pytest.raises(NodeError, match=r"^the etcd \w+ parameter is damaged .*run pulumi up$"):
        formation(damaged)
