"""The decision of an etcd node, over every combination of what it can see."""

import functools
from itertools import combinations, product

import pytest

from node.etcd.member_plan import (
    Ask,
    Discard,
    Disk,
    Form,
    Join,
    Leave,
    MarkFormed,
    Start,
    State,
    Step,
    Wait,
    decide,
)
from node.etcd.members import Entry, founding_id
from node.membership import Formation, Member

MEMBERS = tuple(Member(f"etcd-{n}", f"10.0.224.{4 + n}") for n in range(4))
ME, LATE = MEMBERS[0], MEMBERS[3]
FOUNDERS = MEMBERS[:3]
UNFORMED = Formation(formed=False, token="test-vpc", members=FOUNDERS)
FORMED = Formation(formed=True, token="test-vpc", members=FOUNDERS)
DISKS: tuple[Disk, ...] = ("absent", "empty", "initialised")
MINE, OTHER = founding_id(ME.peer_url, UNFORMED.token), "0ff"
"""The id that the tier has for this node where it has one, and one that it had before."""


def entry(member: Member, *, voter: bool = True, started: bool = True, named: bool = True) -> Entry:
    mine = member in {ME, LATE}
    return Entry(
        MINE if mine else founding_id(member.peer_url, UNFORMED.token),
        member.name if named else "",
        member.address,
        voter,
        started,
    )


OTHERS = tuple(entry(member) for member in FOUNDERS[1:])


def views(me: Member) -> list[tuple[Entry, ...] | None]:
    """Nothing; a list without this node; and it as voter and learner, started and not."""
    kinds = [
        entry(me, voter=voter, started=started, named=named)
        for voter, started, named in product((True, False), repeat=3)
        if named or not started
    ]
    return [None, OTHERS, *((*OTHERS, kind) for kind in kinds)]


def lists() -> list[tuple[Entry, ...] | None]:
    """What the local etcd may list: of the founding members any have started."""
    every = [
        tuple(entry(m, started=m in started) for m in FOUNDERS)
        for n in range(4)
        for started in combinations(FOUNDERS, n)
    ]
    return [None, *every, OTHERS]


@functools.cache
def states() -> list[State]:
    """Every combination, impossible ones too."""
    return [
        State(
            name=me.name,
            address=me.address,
            disk=disk,
            formation=marker,
            desired=desired,
            running=running,
            removed=removed,
            entries=entries,
            peers=peers,
            used=used,
            starting=starting,
            trouble="AWS: away",
        )
        for me in (ME, LATE)
        for disk, marker, desired, running, removed, entries, peers, used, starting in product(
            DISKS,
            (None, UNFORMED, FORMED),
            (None, (), FOUNDERS[1:], MEMBERS),
            (False, True),
            (False, True),
            lists(),
            views(me),
            (None, MINE, OTHER),
            (False, True),
        )
    ]


def steps(kind: type[Step]) -> list[tuple[State, Step]]:
    """The states that lead to a kind of step, and the steps."""
    found = [(state, step) for state, step in decisions() if isinstance(step, kind)]
    assert found
    return found


@functools.cache
def decisions() -> list[tuple[State, Step]]:
    return [(state, decide(state)) for state in states()]


def mine(state: State) -> Entry | None:
    """Its own entry, as its peers have it."""
    return next((e for e in state.peers or () if e.address == state.address), None)


def never_ran(state: State) -> bool:
    """Whether its peers know this node as a founder that has not started yet."""
    own = mine(state)
    return own is not None and not own.started


def outside(state: State) -> bool:
    """Whether it holds nothing, the cluster was formed, and somebody tells of it."""
    return (
        state.disk == "empty"
        and state.formation is not None
        and state.formation.formed
        and state.peers is not None
    )


def spent(state: State, own: Entry) -> bool:
    """Whether an entry is of an etcd whose disk is gone, or may be."""
    return own.voter or own.started or (own.id == state.used and not state.starting)


def test_every_combination_is_covered():
    assert len(states()) == 2 * 3 * 3 * 4 * 2 * 2 * 10 * 8 * 3 * 2


def test_a_cluster_is_formed_by_founders_with_an_empty_disk_when_the_marker_says_never():
    forming = [state for state, _ in steps(Form)]
    assert forming == [
        state
        for state in states()
        if state.disk == "empty"
        and state.formation is UNFORMED
        and state.name == ME.name
        and (state.used is None if state.peers is None else never_ran(state))
    ]
    assert {step for _, step in steps(Form)} == {Form(UNFORMED)}


def test_an_empty_disk_is_never_started_but_to_form_or_to_join():
    assert all(state.disk == "initialised" for state, _ in steps(Start))
    assert all(state.disk == "empty" for state, _ in steps(Form) + steps(Join))


def test_etcd_starts_from_its_disk_exactly_when_it_has_one_and_does_not_run():
    for state, step in decisions():
        wanted = state.disk == "initialised" and not (state.running or state.removed)
        assert isinstance(step, Start) == wanted, state


def test_it_joins_exactly_as_a_learner_that_nobody_has_been_yet():
    for state, step in decisions():
        own = mine(state)
        wanted = outside(state) and state.wanted and own is not None and not spent(state, own)
        assert isinstance(step, Join) == bool(wanted), state
    for state, step in steps(Join):
        own = mine(state)
        assert step == Join(own, state.peers, state.formation)
        assert not own.voter
        assert not own.started
        assert own.id != state.used or state.starting


def test_it_asks_exactly_when_it_is_wanted_and_has_no_entry_that_it_can_use():
    for state, step in decisions():
        own = mine(state)
        wanted = outside(state) and state.wanted and (own is None or spent(state, own))
        assert isinstance(step, Ask) == bool(wanted), state


def test_what_it_calls_lost_is_its_own_and_only_without_a_disk():
    for state, step in steps(Ask):
        own = mine(state)
        assert state.disk == "empty"
        assert step == Ask(own.id if own else state.used)


def test_data_is_discarded_exactly_when_etcd_was_removed_and_peers_agree_and_it_is_wanted():
    for state, step in decisions():
        own = mine(state)
        wanted = (
            state.disk == "initialised"
            and state.removed
            and not state.running
            and state.peers is not None
            and (own is None or not own.started)
            and state.wanted
        )
        assert isinstance(step, Discard) == bool(wanted), state


def test_it_has_left_exactly_when_it_is_not_wanted_and_its_peers_have_no_entry():
    for state, step in decisions():
        own = mine(state)
        gone = state.disk == "initialised" and state.removed and not state.running
        wanted = (
            state.wanted is False
            and state.peers is not None
            and ((outside(state) and own is None) or (gone and not (own and own.started)))
        )
        assert isinstance(step, Leave) == wanted, state


def test_the_marker_is_set_exactly_when_every_founder_started_under_a_leader():
    for state, step in decisions():
        founding = [e for e in state.entries or () if e.address != LATE.address]
        wanted = (
            state.disk == "initialised"
            and state.running
            and state.formation is UNFORMED
            and state.entries is not None
            and all(e.started for e in founding)
        )
        assert isinstance(step, MarkFormed) == wanted, state


def test_without_aws_nothing_is_done_but_to_start_from_the_disk():
    for state, step in decisions():
        if state.formation is None and state.desired is None:
            assert isinstance(step, Start | Wait), state


def test_of_what_runs_nothing_is_touched():
    for state, step in decisions():
        if state.running and state.disk == "initialised":
            assert isinstance(step, Wait | MarkFormed), state


NO_PEER = (
    "the disk is empty and no member answers: this one never forms a second cluster; if all disks "
    "are lost, restore a snapshot (ha-node restore)"
)
BASE = State(
    name=ME.name, address=ME.address, disk="initialised", formation=FORMED, desired=MEMBERS
)


def saw(**changes: object) -> State:
    return State(**{**vars(BASE), **changes})


@pytest.mark.parametrize(
    ("state", "reason", "soon"),
    [
        (saw(disk="absent"), "the data volume is not mounted (see node-prepare.service)", False),
        (
            saw(disk="empty", formation=None, trouble="AWS: throttled"),
            "the disk is empty and nobody says whether to form or to join: AWS: throttled",
            False,
        ),
        (
            saw(disk="empty"),
            NO_PEER,
            False,
        ),
        (
            saw(disk="empty", formation=UNFORMED, name="etcd-9"),
            "the founding members have not formed the cluster yet",
            True,
        ),
        (
            saw(disk="empty", peers=OTHERS, desired=None, trouble="it does not exist"),
            "the disk is empty and the desired members are unknown: it does not exist",
            False,
        ),
        (
            saw(disk="empty", peers=(*OTHERS, entry(ME)), desired=OTHERS),
            "waiting to be removed",
            True,
        ),
        (
            saw(removed=True, trouble="AWS: away"),
            "etcd was removed from the cluster; waiting for its peers; AWS: away",
            False,
        ),
        (
            saw(removed=True, peers=(*OTHERS, entry(ME))),
            "etcd was removed from the cluster, which not every peer knows",
            True,
        ),
        (saw(running=True), "etcd is running", False),
        (saw(running=True, desired=FOUNDERS[1:]), "etcd is running", True),
        (
            saw(running=True, formation=None, trouble="AWS: away"),
            "etcd is running; AWS: away",
            False,
        ),
        (
            saw(running=True, formation=UNFORMED),
            "etcd is running and waits for a leader",
            True,
        ),
        (
            saw(
                running=True,
                formation=UNFORMED,
                entries=(entry(ME), *(entry(m, started=False) for m in FOUNDERS[1:])),
            ),
            "etcd is running and waits for etcd-1, etcd-2 to start",
            True,
        ),
    ],
)
def test_waiting_says_what_for(state, reason, soon):
    assert decide(state) == Wait(reason, changing=soon)


def test_what_was_added_later_is_no_founder_that_is_late():
    """The marker was made again while a member that had lost its disk was about to join."""
    learner = Entry("9", "", ME.address, voter=False, started=False)
    step = decide(saw(disk="empty", formation=UNFORMED, peers=(*OTHERS, learner)))
    assert isinstance(step, Wait)
    running = saw(name="etcd-1", running=True, formation=UNFORMED, entries=(*OTHERS, learner))
    assert decide(running) == MarkFormed(UNFORMED)
