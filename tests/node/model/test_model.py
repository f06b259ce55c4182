"""The decisions against a model of etcd: whatever happens, none of them costs the quorum, a member
that is there or an acknowledged write, and a tier that keeps its quorum ends as it is desired.
"""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from node import owned
from node.etcd import member_plan, membership_plan
from node.membership import Formation
from tests.node.model.moves import Move, ViolationError, etcd, fate, odd, person, program, pulumi
from tests.node.model.state_search import Budget, canonical, heals, reachable, story
from tests.node.model.world import Machine, World, forget, formed

GROWN = (formed(1, 3), Budget(resizes=1, sizes=(3,)))
GROWN_ON_OLD_ANSWERS = (formed(1, 3), Budget(oddities=1, resizes=1, sizes=(3,)))
SHRUNK_WITH_A_FAULT = (formed(3, 3), Budget(faults=1, resizes=1, sizes=(1,)))
TWO_FAULTS = (formed(3, 3), Budget(faults=2))
REWRITTEN = (formed(3, 3), Budget(faults=1, rewrites=1))
REWRITTEN_AFTER_A_RESTORE = (formed(3, 3, restored=True), Budget(faults=1, rewrites=2))
A_FAULT_AND_OLD_ANSWERS = (formed(3, 3), Budget(faults=1, oddities=2))


@pytest.fixture(autouse=True)
def _rules_of_this_test():
    """Some tests change a rule of the program, so what it said is known for one test."""
    forget()


def _forgetful(state, marker):
    return OUTSIDE(replace(state, used=None), marker)


def _hasty(state):
    if state.disk == "initialised" and not state.running:
        return member_plan.Discard()
    return DECIDE(state)


def _founding(state, marker):
    return member_plan.Form(marker)


def _silent_leaver(state, marker):
    step = OUTSIDE(state, marker)
    return member_plan.Leave(None) if isinstance(step, member_plan.Leave) else step


OLD = formed(3, 3).machine(2, said_before=("empty", "9"))
"""A member that once asked to join under another id, and is a voter now."""


def _joining() -> World:
    """The third member has just joined as a learner, and what others read may be older."""
    world = formed(3, 3).machine(2, said=("joining", "2"))
    *voters, third = world.entries
    learner = replace(third, name="", voter=False, started=False)
    return world._replace(
        entries=(*voters, learner),
        entries_before=tuple(voters),
        desired_before=(0, 1),
    )


LIVES = {
    "grown": GROWN,
    "grown on old answers": GROWN_ON_OLD_ANSWERS,
    "grown from three to five": (formed(3, 5), Budget(resizes=1, sizes=(5,))),
    "shrunk with a fault": SHRUNK_WITH_A_FAULT,
    "shrunk from five to three": (formed(5, 5), Budget(faults=1, resizes=1, sizes=(3,))),
    "two faults": TWO_FAULTS,
    "a fault, and an old value written back": REWRITTEN,
    "the same while a member joins": (_joining(), Budget(faults=1, rewrites=1)),
    "old values written back after a restore": REWRITTEN_AFTER_A_RESTORE,
    "resized while old values are written back": (
        formed(3, 3),
        Budget(rewrites=1, resizes=1, sizes=(1,)),
    ),
    "a fault and old answers": A_FAULT_AND_OLD_ANSWERS,
    "a fault after an old report": (OLD, Budget(faults=1, oddities=1)),
    "a fault while joining": (_joining(), Budget(faults=1, oddities=1)),
}
"""Where a tier begins, and how much may happen to it."""


@pytest.mark.parametrize("name", LIVES)
def test_every_reachable_state_is_safe_and_heals(name):
    origin = reachable(*LIVES[name])
    assert len(origin) > 100
    known: set[World] = set()
    for world in origin:
        if world.has_quorum:
            assert heals(world, known), "\n".join(story(origin, world))


OUTSIDE, DECIDE = member_plan._outside, member_plan.decide

WRONG = {
    "removes without counting": (
        (membership_plan, "_may_remove", lambda cluster, entry: entry.id != cluster.me),
        SHRUNK_WITH_A_FAULT,
    ),
    "promotes who is away": (
        (
            membership_plan,
            "_learner",
            lambda cluster: membership_plan.Promote(cluster.learner) if cluster.learner else None,
        ),
        GROWN,
    ),
    "believes an old report": (
        (
            membership_plan.Cluster,
            "lost",
            lambda cluster, entry: bool((said := cluster.report(entry)) and said.state == "empty"),
        ),
        (OLD, Budget(faults=1, oddities=1)),
    ),
    "joins under an id that it had": ((member_plan, "_outside", _forgetful), TWO_FAULTS),
    "discards whatever does not run": ((member_plan, "decide", _hasty), TWO_FAULTS),
    "forms with an empty disk": ((member_plan, "_outside", _founding), TWO_FAULTS),
    "believes a status that was written back": (
        (Machine, "reads", property(lambda machine: machine.old or machine.said)),
        (_joining(), Budget(faults=1, rewrites=1)),
    ),
    "believes an order to restore that was written back": (
        (owned, "newest", lambda versions: max(versions, key=lambda version: version.number)),
        REWRITTEN_AFTER_A_RESTORE,
    ),
    "believes a marker that was made again": (
        (member_plan, "_was_there", lambda state, marker: ""),
        REWRITTEN,
    ),
    "takes another token for a newer one": (
        (Formation, "supersedes", lambda marker, token: token != marker.token),
        REWRITTEN_AFTER_A_RESTORE,
    ),
    "forgets its id when it leaves": (
        (member_plan, "_outside", _silent_leaver),
        (_joining(), Budget(faults=1, oddities=1)),
    ),
}
"""Decisions that would be wrong, and a life in which they do harm."""


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_decision_is_caught(monkeypatch, name):
    (owner, attribute, wrong), life = WRONG[name]
    monkeypatch.setattr(owner, attribute, wrong)
    with pytest.raises(ViolationError) as caught:
        reachable(*life)
    assert caught.value.__notes__, "it tells how it came about"


class Tier(RuleBasedStateMachine):
    """Long lives of a tier of up to five members on seven machines, with faults without end."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World = formed(1, 5)

    @initialize(size=st.sampled_from([1, 3, 5]), restored=st.booleans())
    def form(self, size: int, *, restored: bool) -> None:
        self.world = formed(size, 5, restored=restored)

    def _go(self, moves: list[Move], draw: st.DataObject) -> None:
        if moves:
            _, after = moves[draw.draw(st.integers(0, len(moves) - 1))]
            self.world = canonical(after)

    @rule(draw=st.data())
    def program_steps(self, draw: st.DataObject) -> None:
        self._go(list(program(self.world)), draw)

    @rule(draw=st.data())
    def etcd_goes_on(self, draw: st.DataObject) -> None:
        self._go(list(etcd(self.world)), draw)

    @rule(draw=st.data())
    def program_errs(self, draw: st.DataObject) -> None:
        self._go(list(odd(self.world)), draw)

    @precondition(lambda self: self.world.has_quorum)
    @rule(draw=st.data())
    def something_breaks(self, draw: st.DataObject) -> None:
        """Only what the tier is to survive: without a quorum there is nothing left to keep."""
        self._go([move for move in fate(self.world) if move[1].has_quorum], draw)

    @rule(draw=st.data())
    def size_changes(self, draw: st.DataObject) -> None:
        self._go(list(person(self.world, (1, 3, 5))), draw)

    @rule(draw=st.data())
    def old_values_come_back(self, draw: st.DataObject) -> None:
        self._go(list(pulumi(self.world)), draw)

    def teardown(self) -> None:
        """Left alone, it ends as it is desired."""
        if self.world.has_quorum:
            assert heals(self.world, set()), self.world


TestLongLives = Tier.TestCase
TestLongLives.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
