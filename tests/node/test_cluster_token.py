"""The decision about data of another cluster token, over every combination that bears on it."""

from dataclasses import replace
from itertools import product

import pytest

from node.etcd.member_plan import (
    Form,
    Join,
    MarkFormed,
    Restore,
    SetAside,
    Start,
    State,
    Wait,
    decide,
)
from node.etcd.members import Entry, founding_id
from node.membership import Formation, Member, formation

MEMBERS = [{"name": "etcd-0", "address": "10.0.224.4"}]
FOUNDERS = tuple(Member(f"etcd-{n}", f"10.0.224.{4 + n}") for n in range(3))
NEW = Formation(formed=False, token="new", members=FOUNDERS, snapshot="snapshots/etcd-0/x.db")
NEW = replace(NEW, superseded=("first", "old"))
MARKERS = (
    None,
    NEW,
    replace(NEW, formed=True),
    replace(NEW, snapshot=None),
    replace(NEW, snapshot=None, formed=True),
)
ENTRIES = tuple(
    Entry(founding_id(m.peer_url, NEW.token), m.name, m.address, voter=True, started=n < 2)
    for n, m in enumerate(FOUNDERS)
)
STATES = [
    State(
        name=f"etcd-{number}",
        address=f"10.0.224.{4 + number}",
        disk=disk,
        formation=marker,
        desired=FOUNDERS,
        running=running,
        entries=entries,
        peers=peers,
        token=token,
    )
    for number, disk, marker, running, entries, peers, token in product(
        (0, 2, 3),
        ("absent", "empty", "initialised"),
        MARKERS,
        (False, True),
        (None, ENTRIES),
        (None, ENTRIES),
        (None, "old", "new", "newer"),
    )
]


def test_data_is_set_aside_exactly_when_the_marker_says_that_it_is_instead_of_its_token():
    for state in STATES:
        marker = state.formation
        other = state.disk == "initialised" and marker is not None and state.token == "old"
        founds = marker is NEW and state.name != "etcd-3"
        step = decide(state)
        assert (step == SetAside()) == (other and not founds), state
        if other and founds:
            assert step == Restore(NEW), state


def test_a_snapshot_is_restored_by_founders_of_an_unformed_cluster_only():
    for state in STATES:
        if isinstance(decide(state), Restore):
            assert state.formation is NEW
            assert state.name != "etcd-3"
            assert state.disk != "absent"
            # Never over data of this cluster token.
            assert state.disk == "empty" or state.token == "old"


def test_a_restored_cluster_never_starts_empty():
    for state in STATES:
        if state.formation and state.formation.snapshot:
            assert not isinstance(decide(state), Form), state


def test_data_that_does_not_say_what_it_is_of_stays_and_etcd_is_not_touched():
    for state in STATES:
        if state.disk == "initialised" and state.token is None:
            step = decide(state)
            assert not isinstance(step, Restore | SetAside), state
            if state.formation is NEW:
                assert isinstance(step, Wait)
                assert "write 'new' into /var/lib/etcd/token to keep it" in step.reason


def test_data_of_a_token_that_the_marker_does_not_know_is_kept():
    """The marker is the older of the two: it was deleted and made again, or put back by hand."""
    for state in STATES:
        if state.disk == "initialised" and state.token == "newer":
            step = decide(state)
            assert isinstance(step, Start | Wait | MarkFormed), state
            if state.formation is NEW:
                assert isinstance(step, Wait)
                assert "holds data of newer, which the restore does not name" in step.reason


def test_the_cluster_that_has_a_leader_sets_an_older_marker_right():
    first = Formation(formed=False, token="first", members=FOUNDERS)
    state = State(
        name="etcd-0",
        address="10.0.224.4",
        disk="initialised",
        formation=first,
        desired=FOUNDERS,
        running=True,
        entries=ENTRIES,
        token="new",
    )
    right = Formation(formed=True, token="new", members=FOUNDERS[:2], superseded=("first",))
    assert decide(state) == MarkFormed(right)
    assert isinstance(decide(replace(state, entries=None)), Wait)
    lost = replace(state, formation=None, void=True)
    assert decide(lost) == MarkFormed(replace(right, superseded=()))
    assert isinstance(decide(replace(lost, void=False)), Wait), "AWS did not answer"


def test_without_aws_a_disk_is_started_whatever_it_is_of():
    """A reboot needs no AWS; alone, a member of an older cluster token finds no quorum."""
    for state in STATES:
        if state.formation is None and state.disk == "initialised" and not state.running:
            assert decide(state) == Start()


def test_a_restored_cluster_is_formed_as_soon_as_it_has_a_leader():
    """A founder that comes later may have been there and have lost its disk: it has to join."""
    state = State(
        name="etcd-0",
        address="10.0.224.4",
        disk="initialised",
        formation=NEW,
        desired=FOUNDERS,
        running=True,
        entries=ENTRIES,
        token="new",
    )
    assert decide(state) == MarkFormed(NEW)
    assert isinstance(decide(replace(state, entries=None)), Wait)
    first = replace(NEW, snapshot=None)
    assert isinstance(decide(replace(state, formation=first)), Wait)


def test_who_joins_is_told_the_token():
    marker = replace(NEW, formed=True)
    mine = Entry("9", "", "10.0.224.6", voter=False, started=False)
    state = State(
        name="etcd-2",
        address="10.0.224.6",
        disk="empty",
        formation=marker,
        desired=FOUNDERS,
        peers=(*ENTRIES[:2], mine),
        token="old",
    )
    step = decide(state)
    assert isinstance(step, Join)
    assert step.formation is marker


@pytest.mark.parametrize("snapshot", [{}, {"snapshot": None}, {"snapshot": "snapshots/x"}])
def test_the_marker_may_name_a_snapshot(snapshot):
    found = formation({"formed": False, "token": "t", "members": MEMBERS, **snapshot})
    assert found.snapshot == snapshot.get("snapshot")
    assert found.owns(None)
    assert found.owns("t")
    assert not found.owns("T")
