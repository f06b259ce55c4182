"""The agent dies after any of its actions and is run again: it ends the same."""

import re

import pytest

from node.contract import CLUSTER_ENV
from tests.node.etcd_tier import FORMATION, Tier
from tests.node.interruptions import Actions
from tests.node.writer import Writer

RECORDING = ["sync .token.new", "replace token", "sync etcd", "write token"]
"""What a disk that is used for the first time consists of."""
WRITING = [
    "sync .cluster.env.new",
    "replace cluster.env",
    "sync ha-kubernetes",
    "write cluster.env",
    "start",
    "unlink cluster.env",
]
"""What a first start consists of."""
FORMING = [*RECORDING, *WRITING, "put formed"]
ASKING = ["put empty", "put joining"]
JOINING = [*ASKING, *RECORDING, *WRITING]
RETURNING = ["rename member", "sync data", "rmtree .discarded", *ASKING, *WRITING]


def deaths(done: list[str]) -> list[str]:
    """Actions after which all is not as it was before them: once a file has its name, it makes no
    difference to who comes next that the directory was synced, and that the file is complete."""
    return [action for action in done if not re.match(r"write |sync [^.]", action)]


@pytest.fixture
def actions(monkeypatch):
    return Actions(monkeypatch)


def settled(tier: Tier, *numbers: int) -> bool:
    """Whether just these are members, and no step of any node is left to be taken."""
    return tier.voters(numbers) and {text for _, text in tier.round(*numbers)} == {
        "etcd is running"
    }


def check(tier: Tier, *numbers: int) -> None:
    """Nothing on the machines tells of what happened."""
    assert tier.get(FORMATION)["formed"] is True
    for number in numbers:
        node = tier.nodes[number]
        assert node.machine.data() == ["member"]
        assert not node.machine.inside(CLUSTER_ENV).exists()
    for found in tier.seen:
        assert list(found.values()).count("learner") <= 1, found


def assert_did(actions: Actions, node: str, expected: list[str]) -> None:
    """It did just this: in this order, unless it was interrupted."""
    found = list(dict.fromkeys(actions.of(node)))
    assert found == expected if not actions.stops else {*found} <= {*expected}, found


def test_forming(etcd_tier, actions):
    for _ in actions.each(*deaths(FORMING)):
        etcd_tier.form(1)
        etcd_tier.until(lambda: settled(etcd_tier, 0))
        check(etcd_tier, 0)
        assert_did(actions, "etcd-0", FORMING)
        assert etcd_tier.nodes[0].machine.states_used == ["new"]
        etcd_tier.terminate(0)


def test_forming_with_others_that_die_too(etcd_tier, actions):
    actions.after_death = lambda node: node.machine.power_off()
    actions.begin(*deaths(FORMING))
    etcd_tier.form(3)
    etcd_tier.until(lambda: settled(etcd_tier, 0, 1, 2))
    check(etcd_tier, 0, 1, 2)
    for node in ("etcd-0", "etcd-1", "etcd-2"):
        assert {(node, action) for action in deaths(WRITING)} <= set(actions.killed)
    assert "put formed" in {action for _, action in actions.killed}


def test_joining_in_place_of_a_lost_member(etcd_tier, actions):
    tier = etcd_tier
    tier.form(3)
    used = set(tier.ids().values())
    with Writer(tier.gateway()) as writer:
        tier.lead(0)
        leading = ["remove", "add_learner", "promote"]
        for _ in actions.each(*deaths(JOINING), *leading):
            before = tier.ids()
            tier.nodes[2].machine.lose_disk()
            tier.until(lambda: settled(tier, 0, 1, 2))
            check(tier, 0, 1, 2)
            after = tier.ids()
            assert after["etcd-2"] not in used
            assert {**after, "etcd-2": before["etcd-2"]} == before
            used.add(after["etcd-2"])
            assert_did(actions, "etcd-2", JOINING)
            if not actions.stops:
                assert [action for _, action in actions.done if action in leading] == leading
    assert writer.lost() == set()


def test_leaving_and_coming_back(etcd_tier, actions):
    tier = etcd_tier
    tier.form(3)
    with Writer(tier.gateway()) as writer:
        for _ in actions.each("remove", "put left", "transfer", *deaths(RETURNING)):
            before = tier.ids()
            tier.lead(2)
            tier.desire(0, 1)
            tier.until(lambda: settled(tier, 0, 1) and tier.left(2))
            check(tier, 0, 1)
            actions.done.clear()
            tier.desire(0, 1, 2)
            tier.until(lambda: settled(tier, 0, 1, 2))
            assert_did(actions, "etcd-2", RETURNING)
            check(tier, 0, 1, 2)
            after = tier.ids()
            assert after["etcd-2"] not in before.values()
            assert {**after, "etcd-2": before["etcd-2"]} == before
    assert writer.lost() == set()


def test_growing_and_shrinking_with_a_power_failure_after_every_action(etcd_tier, actions):
    tier = etcd_tier
    tier.form(1)
    first = tier.ids()
    actions.after_death = lambda node: node.machine.power_off()
    with Writer(tier.gateway()) as writer:
        actions.begin(*deaths(JOINING), "add_learner", "promote")
        tier.desire(0, 1, 2)
        tier.boot(1, 2)
        tier.until(lambda: settled(tier, 0, 1, 2))
        check(tier, 0, 1, 2)
        for node in ("etcd-1", "etcd-2"):
            assert {(node, action) for action in deaths(JOINING)} <= set(actions.killed)
        assert {action for _, action in actions.killed} == actions.stops
        assert {"etcd-0": tier.ids()["etcd-0"]} == first

        # Not with a power failure: of two members, the one that stays needs the one that it has just
        # removed until the removal is on its disk, which etcd puts there with its next write (raft
        # README, "one of the members dies before the other one receives the commit").
        actions.after_death = lambda _node: None
        tier.lead(1)
        actions.begin("remove", "transfer", "put left")
        tier.desire(0)
        tier.until(lambda: settled(tier, 0) and tier.left(1, 2))
        check(tier, 0)
        assert {action for _, action in actions.killed} == actions.stops
        assert tier.ids() == first
    assert writer.lost() == set()
