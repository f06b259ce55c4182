"""The leader's decision: what it may never do, over every cluster of four and many of seven."""

import functools
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.etcd.member_status import Report
from node.etcd.members import Entry, quorum, survives
from node.etcd.membership_plan import (
    Add,
    Change,
    Cluster,
    Pause,
    Promote,
    Remove,
    Settled,
    Transfer,
    decide,
)
from node.membership import Member

SILENT, MEMBER = None, ("member", True)
REPORTS = (SILENT, MEMBER, *product(("empty", "empty of another"), (True, False)))
"""What a node last said, and whether it is fresh."""
ROLES = ("none", *product(("voter", "learner"), (True, False)))
"""What a node is to etcd, and whether the leader is connected to it."""
KINDS = [
    (role, report) for role, report in product(ROLES, (*REPORTS, "unwanted")) if role != "none"
] + [("none", report) for report in REPORTS]
"""All that there is to know of a node; one that is not wanted is not heard."""
MISJUDGED = list(product(product(("voter", "learner"), ["misjudged"]), (*REPORTS, "unwanted")))
LEADER = (("voter", True), MEMBER), (("voter", True), "unwanted")


def cluster(*kinds) -> Cluster:
    """A cluster as its first node, which leads, sees it.

    A member whose connection is "misjudged" answers, and etcd takes it for disconnected.
    """
    entries, connected, desired, reports = [], set(), [], {}
    misjudged = set()
    for number, (role, report) in enumerate(kinds):
        member, own = Member(f"etcd-{number}", f"10.0.224.{4 + number}"), f"{number}a"
        if role != "none":
            entries.append(Entry(own, member.name, member.address, role[0] == "voter", True))
            connected |= {own} if role[1] else set()
            misjudged |= {own} if role[1] == "misjudged" else set()
        if report == "unwanted":
            continue
        desired.append(member)
        if report is not SILENT:
            state, fresh = report
            of = "0ff" if state == "empty of another" else own
            reports[member.name] = Report(state.split()[0], of, fresh)
    return Cluster(
        "0a", tuple(entries), frozenset(connected), tuple(desired), reports, frozenset(misjudged)
    )


def possible(kinds) -> bool:
    """At most one learner, and a quorum, as there is a leader."""
    roles = [role for role, _ in kinds if role != "none"]
    voters = [bool(connected) for role, connected in roles if role == "voter"]
    return len(roles) - len(voters) <= 1 and sum(voters) >= quorum(len(voters))


@functools.cache
def every() -> list[tuple[Cluster, Change]]:
    found = [
        cluster(*kinds)
        for kinds in product(LEADER, KINDS, KINDS, KINDS)
        if possible(kinds) and any(report != "unwanted" for _, report in kinds)
    ]
    return [(c, decide(c)) for c in found]


@st.composite
def clusters(draw) -> Cluster:
    kinds = [draw(st.sampled_from(LEADER))]
    some = st.sampled_from([*KINDS, *MISJUDGED])
    kinds += [draw(some) for _ in range(draw(st.integers(3, 8)))]
    return cluster(*kinds) if possible(kinds) else cluster(*kinds[:1], KINDS[-1])


def missing(c: Cluster) -> list[Member]:
    present = {entry.address for entry in c.entries}
    return [member for member in c.desired if member.address not in present]


def lost(c: Cluster, entry: Entry) -> bool:
    """Whether its own node said, of this very id, that its disk is gone."""
    named = [m.name for m in c.desired if m.address == entry.address]
    return any(
        name in c.reports
        and (c.reports[name].state, c.reports[name].member_id) == ("empty", entry.id)
        for name in named
    )


def unwanted(c: Cluster) -> list[Entry]:
    return [e for e in c.entries if e.address not in {m.address for m in c.desired}]


def check(c: Cluster, change: Change) -> None:
    """What holds for every change."""
    learners = [e for e in c.entries if not e.voter]
    gone = [e for e in c.voters if lost(c, e) and e.id not in c.connected]
    match change:
        case Add(member):
            assert learners == []
            assert member in missing(c)
            assert c.reports[member.name].state == "empty"
            # The dead are removed first.
            assert gone == []
        case Promote(entry):
            assert [entry] == learners
            assert entry.id in c.connected
            assert entry not in unwanted(c)
            assert not lost(c, entry)
            assert survives([e.id for e in (*c.voters, entry)], c.connected)
        case Remove(entry) if entry.voter:
            assert entry.id != c.me
            assert survives([e.id for e in c.voters if e != entry], c.connected)
            if entry.id in c.connected:
                assert entry in unwanted(c)
                assert learners == []
                assert missing(c) == []
            else:
                assert lost(c, entry) or entry in unwanted(c)
            # Not by a list that names nobody who is there.
            assert lost(c, entry) or any(v not in unwanted(c) for v in c.voters)
        case Remove(entry):
            others = [m for m in missing(c) if m.name in c.reports and c.reports[m.name].fresh]
            own = next((m.name for m in c.desired if m.address == entry.address), "")
            silent = entry.id not in c.connected and not (own in c.reports and c.reports[own].fresh)
            assert entry in unwanted(c) or lost(c, entry) or (silent and others)
        case Transfer(to) if to.id in c.misjudged:
            assert to.voter
        case Transfer(to):
            assert [e.id for e in unwanted(c)] == [c.me]
            assert to.voter
            assert to.id in c.connected
            assert learners == missing(c) == []
        case Settled():
            assert learners == missing(c) == unwanted(c) == gone == []
        case Pause(reason):
            assert reason
            assert learners or missing(c) or unwanted(c) or gone


def test_every_change_of_every_cluster_of_four():
    assert len(every()) > 20_000
    for c, change in every():
        check(c, change)
    assert {type(change) for _, change in every()} == {
        Add,
        Pause,
        Promote,
        Remove,
        Settled,
        Transfer,
    }


@given(clusters())
def test_every_change_of_larger_clusters(c):
    change = decide(c)
    check(c, change)
    if c.misjudged & {e.id for e in c.voters}:
        assert not isinstance(change, Add | Remove)


def test_a_member_that_is_alive_and_wanted_is_never_removed():
    for c, change in every():
        if isinstance(change, Remove) and change.entry.voter:
            assert change.entry.id not in c.connected or change.entry in unwanted(c), c


def test_while_all_are_alive_there_is_always_something_to_do_or_nothing_left():
    for c, change in every():
        alive = all(entry.id in c.connected for entry in c.entries)
        asking = all(m.name in c.reports and c.reports[m.name].state == "empty" for m in missing(c))
        if alive and asking:
            assert not isinstance(change, Pause), c


def test_a_dead_member_never_waits_for_a_learner_that_is_dead_too():
    seen = 0
    for c, change in every():
        gone = [e for e in c.voters if lost(c, e) and e.id not in c.connected]
        learners = [e for e in c.entries if not e.voter]
        if gone and learners and all(e.id not in c.connected for e in learners):
            rest = [e.id for e in c.voters if e != gone[0]]
            if len(gone) == 1 and survives(rest, c.connected) and unwanted(c) == []:
                assert isinstance(change, Remove), c
                seen += 1
    assert seen > 0


def test_those_who_answer_come_first_and_the_youngest_leave_first():
    two = (("none", ("empty", False)), ("none", ("empty", True)))
    add = decide(cluster(LEADER[0], *two))
    assert isinstance(add, Add)
    assert add.member.name == "etcd-2"
    voter = (("voter", True), "unwanted")
    remove = decide(cluster(LEADER[0], voter, voter))
    assert isinstance(remove, Remove)
    assert (remove.entry.name, remove.reason) == ("etcd-2", "it is not wanted any more")


VOTER, DEAD = ("voter", True), ("voter", False)
ANSWERS = (("voter", "misjudged"), MEMBER)


@pytest.mark.parametrize(
    "kinds",
    [
        [ANSWERS, (DEAD, ("empty", True))],
        [ANSWERS, ("none", ("empty", True))],
        [ANSWERS, (VOTER, "unwanted")],
    ],
    ids=["dead", "joining", "leaving"],
)
def test_a_misjudged_member_leads_before_members_are_added_or_removed(kinds):
    c = cluster(LEADER[0], *kinds)
    assert decide(c) == Transfer(c.entries[1])


def test_a_misjudged_member_is_in_nobodys_way_otherwise():
    assert decide(cluster(LEADER[0], ANSWERS, (VOTER, MEMBER))) == Settled()
    c = cluster(LEADER[0], ANSWERS, (("learner", True), MEMBER))
    assert decide(c) == Promote(c.learner)
    # A learner cannot lead, and etcd promotes it whatever it takes it for.
    c = cluster(LEADER[0], (VOTER, MEMBER), (("learner", "misjudged"), MEMBER))
    assert decide(c) == Promote(c.learner)


@pytest.mark.parametrize(
    ("kinds", "reason"),
    [
        ([LEADER[0], ("none", SILENT), ("none", MEMBER)], "etcd-1, etcd-2 must ask to join"),
        ([LEADER[0], (("learner", False), MEMBER)], "etcd-1 is to start as a learner"),
        (
            [LEADER[0], (VOTER, "unwanted"), (DEAD, MEMBER)],
            "etcd-1 must stay while too few voters are alive",
        ),
        ([LEADER[1], ("none", MEMBER), (VOTER, "unwanted")], "etcd-1 must ask to join"),
        (
            [LEADER[0], (DEAD, MEMBER), (DEAD, ("empty", True))],
            "etcd-2 is gone, but removing it now would break the quorum",
        ),
        (
            [LEADER[0], (DEAD, MEMBER), (DEAD, MEMBER), (("learner", True), MEMBER)],
            "etcd-3 is not promoted while too few voters are alive",
        ),
    ],
)
def test_a_pause_says_why(kinds, reason):
    assert decide(cluster(*kinds)) == Pause(reason)


def test_nobody_at_all_is_wanted_by_mistake():
    change = decide(Cluster("0a", (), frozenset(), (), {}))
    assert change == Pause("the etcd members parameter is empty: run pulumi up")


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7])
def test_quorum(size):
    assert quorum(size) > size / 2
    assert quorum(size) - 1 <= size / 2
    names = [str(n) for n in range(size)]
    assert survives(names, names[: quorum(size)])
    few = names[: quorum(size) - 1]
    assert not survives(names, [*few, *few, "another"])
