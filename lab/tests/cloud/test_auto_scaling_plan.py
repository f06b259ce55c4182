"""Decisions of Auto Scaling groups: what holds for every size, time and order of events."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.cloud.auto_scaling import capacity, refresh_plan
from lab.cloud.auto_scaling.clock import Clock
from lab.cloud.auto_scaling.group_view import (
    ABANDON,
    CONTINUE,
    LEAVING,
    Group,
    Launch,
    Member,
    State,
    Terminate,
)
from lab.cloud.auto_scaling.plan import plan
from lab.tests.cloud.simulated_group import DRAIN, JOIN, Simulation, group

ZONES = st.sampled_from(["a", "ab", "abc"])
SIZES = st.integers(0, 12)
HOOKS = st.sampled_from([(), (DRAIN,), (JOIN,), (DRAIN, JOIN)])


def spread(simulation: Simulation) -> list[int]:
    there = Counter(one.zone for one in simulation.group.counted())
    return sorted(there[zone] for zone in simulation.group.zones)


def in_service(simulation: Simulation) -> int:
    return sum(one.state is State.IN_SERVICE for one in simulation.group.members)


@given(SIZES, SIZES, ZONES)
def test_a_group_comes_to_its_size_and_stays_even(first, second, zones):
    simulation = group(first, zones)
    assert in_service(simulation) == first
    assert max(spread(simulation)) - min(spread(simulation)) <= 1
    simulation.group = replace(simulation.group, desired=second)
    for _ in range(3):
        simulation.run(1)
    assert in_service(simulation) == second == len(simulation.group.members)
    assert max(spread(simulation)) - min(spread(simulation)) <= 1


@given(SIZES, SIZES, SIZES)
def test_bounds_hold_the_size(desired, one, other):
    least, most = sorted((one, other))
    chosen = capacity.within(desired, least, most)
    assert least <= chosen <= most
    assert chosen == desired or desired < least or desired > most


events = st.lists(
    st.one_of(
        st.tuples(st.just("kill"), st.integers(0, 11)),
        st.tuples(st.just("stop"), st.integers(0, 11)),
        st.tuples(st.just("impair"), st.integers(0, 11)),
        st.tuples(st.just("report"), st.integers(0, 11)),
        st.tuples(st.just("size"), SIZES),
        st.tuples(st.just("time"), st.integers(1, 400)),
        st.tuples(st.just("completed"), st.integers(0, 11)),
        st.tuples(st.just("abandoned"), st.integers(0, 11)),
    ),
    max_size=25,
)


def happen(simulation: Simulation, what: str, number: int) -> None:
    members = simulation.group.members
    name = members[number % len(members)].id if members else ""
    match what:
        case "kill":
            simulation.change(name, instance="terminated")
        case "stop":
            simulation.change(name, instance="stopped")
        case "impair":
            simulation.change(name, impaired_since=simulation.now)
        case "report":
            simulation.change(name, healthy=False)
        case "size":
            simulation.group = replace(simulation.group, desired=number)
        case "completed" if name:
            simulation.complete(name)
        case "abandoned" if name:
            simulation.complete(name, ABANDON)
        case "time":
            simulation.run(number)
    simulation.settle()


@given(SIZES, ZONES, events, HOOKS)
def test_whatever_happens_a_group_heals(desired, zones, happened, hooks):
    simulation = group(desired, zones, hooks)
    for what, number in happened:
        happen(simulation, what, number)
        # What starts is too much only once it is in service.
        assert in_service(simulation) <= simulation.group.desired
        assert len(simulation.group.counted()) >= simulation.group.desired
    for _ in range(8):
        simulation.run(1000)
    members = simulation.group.members
    assert len(members) == simulation.group.desired
    assert all(one.state is State.IN_SERVICE and one.instance == "running" for one in members)
    assert all(one.healthy and one.impaired_since is None for one in members)


@given(SIZES, events, st.booleans())
def test_no_instance_ends_before_its_drain(desired, happened, joins):
    """Nor one whose launch was abandoned: it may be a node, and have pods."""
    simulation = group(desired, hooks=(DRAIN, JOIN) if joins else (DRAIN,))
    for what, number in happened:
        happen(simulation, what, number)
    for member in simulation.ended:
        assert [action.hook for action in member.actions] == []
        assert member.state is State.TERMINATING_PROCEED
    waiting = [m for m in simulation.group.members if m.state is State.TERMINATING_WAIT]
    for member in waiting:
        assert any(one.result is None and one.due > simulation.now for one in member.actions)


@given(SIZES, ZONES, events)
def test_nothing_is_in_service_that_has_not_joined(desired, zones, happened):
    simulation = group(desired, zones, (DRAIN, JOIN))
    there = {one.id for one in simulation.group.members}
    simulation.joins = frozenset()
    for what, number in happened:
        if what != "completed":
            happen(simulation, what, number)
    assert {one.id for one in simulation.group.in_service()} <= there


@pytest.mark.parametrize(("result", "arrives"), [(CONTINUE, True), (ABANDON, False)])
def test_a_group_of_none_waits_for_launches_and_then_for_drains(result, arrives):
    """As `pulumi destroy` makes one: what starts leaves once its launch is over."""
    simulation = group(0, hooks=(DRAIN, JOIN))
    simulation.joins = frozenset()
    simulation.group = replace(simulation.group, desired=1)
    simulation.run(1)
    simulation.group = replace(simulation.group, desired=0)
    simulation.run(1)
    (starts,) = simulation.group.members
    assert starts.state is State.PENDING_WAIT
    simulation.complete(starts.id, result)
    seen = []
    while (step := plan(simulation.group, simulation.now)) and len(seen) < 9:
        simulation.take(step)
        seen += [one.state for one in simulation.group.members]
    assert (State.IN_SERVICE in seen) == arrives
    assert seen[-1] is State.TERMINATING_WAIT
    simulation.complete(starts.id)
    simulation.run(1)
    simulation.run(1)
    assert simulation.group.members == ()
    assert simulation.made == 1


PERCENTAGES = st.tuples(st.integers(0, 100), st.integers(100, 200))


@given(st.integers(1, 40), PERCENTAGES)
def test_bounds_of_a_refresh_leave_room_for_one(desired, percentages):
    minimum, maximum = percentages
    limits = refresh_plan.bounds(desired, minimum, maximum)
    assert limits.most > limits.least >= 0
    assert limits.most >= desired
    if minimum == 100:
        assert limits.least >= desired


@given(st.integers(0, 9), PERCENTAGES, st.sampled_from([0, 60]), HOOKS, ZONES)
def test_a_refresh_replaces_everything_within_its_bounds(
    desired, percentages, warmup, hooks, zones
):
    simulation = group(desired, zones, hooks)
    simulation.run(100)
    limits = refresh_plan.bounds(desired, *percentages)
    going = simulation.refresh(*percentages, warmup)
    old = {one.id for one in simulation.group.members}
    for _ in range(200):
        simulation.settle()
        warm = [
            one
            for one in simulation.group.members
            if refresh_plan.ready(one, going, simulation.now)
        ]
        assert len(warm) >= min(limits.least, desired)
        assert len(simulation.group.counted()) <= limits.most
        if simulation.group.refresh is None:
            break
        simulation.run(30)
    assert simulation.refreshes == ["Successful"]
    assert not old & {one.id for one in simulation.group.counted()}
    assert {one.version for one in simulation.group.counted()} <= {"2"}
    assert in_service(simulation) == desired


@given(st.integers(1, 20), ZONES, st.integers(100, 600))
def test_machines_that_never_join_replace_nobody(desired, zones, pause):
    simulation = group(desired, zones, (JOIN,))
    old = {one.id for one in simulation.group.members}
    limits = refresh_plan.bounds(desired, 100, 110)
    simulation.joins = frozenset("1")
    simulation.refresh(100, 110, 10)
    for _ in range(3 * 3600 // pause):
        simulation.run(pause)
        assert {one.id for one in simulation.group.in_service()} == old
        assert len(simulation.group.counted()) <= limits.most
        if simulation.group.refresh is None:
            break
    assert simulation.refreshes == ["Failed"]
    new = [one for one in simulation.ended if one.id not in old]
    assert new
    assert all(one.since - one.launched >= JOIN.heartbeat for one in new)
    # The next one is started when the one before is given up, and not before.
    assert len(new) <= (limits.most - limits.least) * (simulation.now // JOIN.heartbeat + 1)
    made = simulation.made
    for _ in range(3):
        simulation.run(JOIN.heartbeat)
    assert {one.id for one in simulation.group.members} == old
    assert simulation.made == made, "nothing is missing, so nothing is started any more"


@given(st.integers(1, 9), st.sampled_from([CONTINUE, ABANDON]))
def test_a_refresh_that_is_cancelled_takes_nobody_for_what_still_starts(desired, result):
    simulation = group(desired, hooks=(JOIN,))
    old = {one.id for one in simulation.group.members}
    simulation.joins = frozenset("1")
    simulation.refresh(100, 110, 10)
    simulation.run(60)
    simulation.group = replace(simulation.group, refresh=None)
    simulation.run(60)
    assert {one.id for one in simulation.group.in_service()} == old
    (starts,) = (one for one in simulation.group.members if one.id not in old)
    assert starts.state is State.PENDING_WAIT
    simulation.complete(starts.id, result)
    for _ in range(3):
        simulation.run(1)
    there = {one.id for one in simulation.group.members}
    assert len(there) == desired
    assert (starts.id in there) == (result == CONTINUE)


@given(st.integers(1, 6), events, st.booleans())
def test_a_refresh_ends_whatever_happens(desired, happened, joins):
    simulation = group(desired, hooks=(DRAIN, JOIN) if joins else (DRAIN,))
    simulation.refresh(90, 110, 60)
    for what, number in happened:
        happen(simulation, what, number)
    for _ in range(120):
        simulation.run(120)
    assert simulation.refreshes == ["Successful"]
    assert in_service(simulation) == simulation.group.desired


def test_a_refresh_in_which_nothing_runs_fails_after_an_hour():
    simulation = group(3)
    simulation.refresh(90, 110, 60)
    simulation.settle()
    simulation.now += refresh_plan.STUCK_SECONDS
    simulation.settle()
    assert simulation.refreshes == ["Failed"]


@pytest.mark.parametrize(
    ("desired", "minimum", "maximum", "least", "most"),
    [
        (1, 90, 110, 1, 2),
        (3, 90, 110, 3, 4),
        (10, 90, 110, 9, 11),
        (1, 90, 100, 0, 1),
        (3, 100, 100, 3, 4),
        (4, 50, 100, 2, 4),
        (4, 0, 100, 0, 4),
        (4, 90, 200, 4, 8),
    ],
)
def test_bounds_of_a_refresh(desired, minimum, maximum, least, most):
    assert refresh_plan.bounds(desired, minimum, maximum) == refresh_plan.Bounds(least, most)


def member(name: str, zone: str = "a", version: str = "1", **values: object) -> Member:
    return Member(name, zone, State.IN_SERVICE, 0, float(name), "running", version, **values)


def test_who_goes_first():
    members = [member("1", "a"), member("2", "b", "2"), member("3", "b"), member("4", "b", "2")]
    chosen = capacity.to_terminate(members, 3, "2")
    assert [one.id for one in chosen] == ["3", "2", "1"]
    protected = [member("1", protected=True), member("2", protected=True), member("3")]
    assert [one.id for one in capacity.to_terminate(protected, 2, "1")] == ["3"]


@pytest.mark.parametrize(
    ("process", "kinds"),
    [
        ("Launch", [Terminate]),
        ("Terminate", [Launch]),
        ("HealthCheck", [Launch]),
        ("ReplaceUnhealthy", [Launch]),
        ("", [Terminate, Launch, Launch]),
    ],
)
def test_suspended_processes_do_nothing(process, kinds):
    dead = replace(member("1"), instance="terminated")
    one = Group(2, ("a",), "1", (dead,), suspended=frozenset({process}))
    assert [type(step) for step in plan(one, 0.0)] == kinds


def test_after_a_failed_launch_it_waits():
    one = Group(1, ("a",), "1", retry_at=10.0)
    assert plan(one, 9.0) == []
    assert len(plan(one, 10.0)) == 1


def test_a_clock_is_only_put_forward():
    clock = Clock(lambda: 5.0)
    clock.skip(10)
    assert clock.now() == 15.0
    with pytest.raises(ValueError, match="go back"):
        clock.skip(-1)


def test_what_leaves_is_not_counted():
    members = tuple(replace(member(str(n)), state=state) for n, state in enumerate(sorted(LEAVING)))
    assert Group(0, ("a",), members=members).counted() == []
