"""The decision, over every combination of what a node can see."""

from dataclasses import replace
from itertools import chain, combinations, product

import pytest

from node.etcd.decide import Disk, Form, MarkFormed, Start, State, Wait, decide
from node.membership import Formation, Member

FOUNDERS = tuple(Member(f"etcd-{n}", f"10.0.224.{4 + n}") for n in range(3))
NAMES = [member.name for member in FOUNDERS]
UNFORMED = Formation(formed=False, token="test-vpc", members=FOUNDERS)
FORMED = replace(UNFORMED, formed=True)
MARKERS = (None, UNFORMED, FORMED)
DISKS: tuple[Disk, ...] = ("absent", "empty", "initialised")
STARTED = (
    None,
    *map(frozenset, chain.from_iterable(combinations([*NAMES, "etcd-3"], n) for n in range(5))),
)

STATES = [
    State(name, disk, marker, running, started)
    for name, disk, marker, running, started in product(
        [*NAMES, "etcd-3"], DISKS, MARKERS, (False, True), STARTED
    )
]


def test_every_combination_is_covered():
    assert len(STATES) == 4 * 3 * 3 * 2 * 17


@pytest.mark.parametrize("disk", DISKS)
@pytest.mark.parametrize("marker", MARKERS)
def test_a_cluster_is_formed_only_by_a_founder_with_an_empty_disk_and_a_marker_that_says_never(
    disk, marker
):
    states = [s for s in STATES if s.disk == disk and s.formation == marker]
    forming = {s.name for s in states if isinstance(decide(s), Form)}
    allowed = disk == "empty" and marker is UNFORMED
    assert forming == (set(NAMES) if allowed else set())


def test_etcd_starts_from_its_disk_exactly_when_it_has_one_and_does_not_run():
    for state in STATES:
        wanted = state.disk == "initialised" and not state.running
        assert (decide(state) == Start()) == wanted, state


def test_the_marker_is_set_exactly_when_every_founder_started_under_a_leader():
    for state in STATES:
        wanted = (
            state.disk == "initialised"
            and state.running
            and state.formation is UNFORMED
            and state.started is not None
            and state.started >= set(NAMES)
        )
        assert (decide(state) == MarkFormed()) == wanted, state


def test_a_cluster_is_formed_with_what_the_marker_says():
    step = decide(State("etcd-1", "empty", UNFORMED, running=False, started=None))
    assert step == Form(UNFORMED)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State("etcd-0", "absent", UNFORMED, False, None), "the data volume is not mounted"),
        (State("etcd-0", "empty", None, False, None, "AWS: throttled"), "join: AWS: throttled"),
        (State("etcd-0", "empty", FORMED, False, None), "must join"),
        (State("etcd-3", "empty", UNFORMED, False, None), "the founding members"),
        (State("etcd-0", "initialised", None, True, None, "AWS: away"), "running; AWS: away"),
        (State("etcd-0", "initialised", FORMED, True, None), "etcd is running"),
        (State("etcd-0", "initialised", UNFORMED, True, None), "waits for a leader"),
        (
            State("etcd-0", "initialised", UNFORMED, True, frozenset({"etcd-0"})),
            "waits for etcd-1, etcd-2 to start",
        ),
    ],
)
def test_waiting_says_what_for(state, reason):
    step = decide(state)
    assert isinstance(step, Wait)
    assert reason in step.reason
