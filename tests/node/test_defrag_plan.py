"""Whose turn it is to defragment, over what members can report."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.etcd.defrag_plan import (
    MIB,
    Compact,
    Database,
    Defragment,
    Disarm,
    Done,
    View,
    Wait,
    decide,
    worth,
)

QUOTA = 4096 * MIB
SPARSE = Database("etcd-1", leader=False, size=200 * MIB, in_use=50 * MIB)
DENSE = replace(SPARSE, in_use=150 * MIB)
FULL = replace(SPARSE, size=QUOTA, in_use=QUOTA)


def named(database, number, *, leader=False, trouble=""):
    return replace(database, name=f"etcd-{number}", leader=leader, trouble=trouble)


def view(mine, *others, full=False):
    return View(mine, others, QUOTA, full=full)


@pytest.mark.parametrize(
    ("size", "in_use", "full", "wins"),
    [
        (100 * MIB, 1, False, False),
        (100 * MIB + 2, 50 * MIB, False, True),
        (200 * MIB, 100 * MIB, False, False),
        (200 * MIB, 100 * MIB - 1, False, True),
        (100 * MIB, 91 * MIB, True, False),
        (100 * MIB, 90 * MIB, True, True),
    ],
)
def test_worth(size, in_use, full, wins):
    database = Database("etcd-0", leader=False, size=size, in_use=in_use)
    assert worth(database, full=full) is wins


def test_nothing_to_win_is_said_without_looking_at_others():
    step = decide(view(DENSE, named(SPARSE, 0, trouble="is silent")))
    assert step == Done("nothing to win: 150.0 of 200.0 MiB in use")


def test_members_go_by_name_and_the_leader_last():
    leader = named(SPARSE, 0, leader=True)
    first, second = named(SPARSE, 1), named(SPARSE, 2)
    assert decide(view(first, leader, second)) == Defragment()
    assert decide(view(second, leader, first)) == Wait("etcd-1 comes first")
    assert decide(view(leader, first, second)) == Wait("etcd-1 comes first")
    assert decide(view(leader, named(DENSE, 1), second)) == Wait("etcd-2 comes first")
    assert decide(view(leader, named(DENSE, 1), named(DENSE, 2))) == Defragment()


@pytest.mark.parametrize("trouble", ["is a learner", "is silent", "is not healthy"])
def test_nobody_stands_still_while_another_is_not_well(trouble):
    ill = named(DENSE, 2, trouble=trouble)
    assert decide(view(SPARSE, named(DENSE, 0), ill)) == Wait(f"etcd-2 {trouble}")
    assert decide(view(replace(SPARSE, trouble=trouble))) == Wait(f"etcd-1 {trouble}")


def test_a_full_database_is_compacted_once_then_defragmented_then_disarmed():
    leader = replace(FULL, leader=True)
    assert decide(view(leader, full=True)) == Compact()
    stays = decide(view(leader, full=True), compacted=True)
    assert isinstance(stays, Done)
    assert stays.reason == (
        "the database stays full: 4096.0 of 4096.0 MiB in use on etcd-1, of a quota of 4096 MiB: "
        "delete keys, or raise etcd.quotaGib"
    )
    compacted = replace(leader, in_use=QUOTA // 2)
    assert decide(view(compacted, full=True), compacted=True) == Defragment()
    small = replace(leader, size=QUOTA // 2, in_use=QUOTA // 2)
    assert decide(view(small, full=True), compacted=True) == Disarm()
    stays = decide(view(small, named(FULL, 2), full=True), compacted=True)
    assert isinstance(stays, Done)
    assert "on etcd-2" in stays.reason
    sparse = named(replace(FULL, in_use=0), 2)
    assert decide(view(small, sparse, full=True), compacted=True) == Wait("etcd-2 comes first")


def test_once_is_enough():
    assert isinstance(decide(view(SPARSE), defragmented=True), Done)


def test_a_follower_never_disarms():
    small = replace(SPARSE, size=10 * MIB, in_use=10 * MIB)
    step = decide(view(small, named(small, 0, leader=True), full=True), compacted=True)
    assert step == Done("nothing to win: 10.0 of 10.0 MiB in use")


databases = st.builds(
    lambda size, share, trouble: (size * MIB, int(size * MIB * share), trouble),
    st.integers(1, 4096),
    st.floats(0, 1),
    st.sampled_from(["", "", "", "is silent", "is not healthy", "is a learner"]),
)


@given(st.lists(databases, min_size=1, max_size=7), st.integers(0, 6), st.booleans())
def test_of_members_that_see_the_same_at_most_one_stands_still(found, lead, full):
    members = [
        Database(f"etcd-{n}", n == lead % len(found), size, in_use, trouble)
        for n, (size, in_use, trouble) in enumerate(found)
    ]
    steps = {
        m.name: decide(view(m, *(o for o in members if o is not m), full=full), compacted=True)
        for m in members
    }
    going = [m for m in members if steps[m.name] == Defragment()]
    assert len(going) <= 1
    if any(m.trouble for m in members):
        assert going == []
    for member in going:
        assert worth(member, full=full)
        if member.leader:
            assert not any(worth(m, full=full) for m in members if not m.leader)
    for member in members:
        if steps[member.name] == Disarm():
            assert full
            assert member.leader
            assert all(m.size < QUOTA for m in members)
    # Nobody waits for ever while all are well: somebody goes, or all are done.
    if not any(m.trouble for m in members) and any(isinstance(s, Wait) for s in steps.values()):
        assert len(going) == 1
