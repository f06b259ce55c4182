"""Members leave, and some come back, while others are dead, under a client that writes."""

from tests.node.etcd_tier import Tier
from tests.node.writer import Writer

LEFT = "not a member, and not wanted as one"


def test_members_leave_and_stay_away_until_they_are_wanted_again(etcd_tier):
    tier = etcd_tier
    tier.form(5)
    with Writer(tier.gateway()) as writer:
        the_leader_leaves_last_and_a_dead_member_first(tier)
        what_has_left_stays_so(tier)

        # Wanted again, they join as new members: nobody knows what their disks have missed.
        before = tier.ids()
        old = {tier.status(number)["memberId"] for number in (3, 4)}
        tier.desire(0, 1, 2, 3, 4)
        tier.until(lambda: tier.voters(range(5)))
        after = tier.ids()
        assert {after["etcd-3"], after["etcd-4"]}.isdisjoint([*before.values(), *old])
        for number in (3, 4):
            machine = tier.nodes[number].machine
            assert machine.states_used[-1] == "existing"
            assert machine.data() == ["member"]

        # A wanted member that is dead holds nobody up, while the others have a quorum.
        tier.nodes[1].machine.power_off()
        tier.desire(0, 1, 2)
        tier.until(lambda: len(tier.listed()) == 3 and tier.left(3, 4), 0, 2, 3, 4)
        assert tier.ids() == before
        tier.terminate(3, 4)
        tier.until(lambda: tier.voters(range(3)))
        assert tier.ids() == before

        # And without one nobody goes.
        tier.desire(0)
        tier.nodes[0].machine.power_off()
        waits = "etcd-2 must stay while too few voters are alive"
        tier.lead(1)
        tier.until(lambda: tier.round(1, 2)[0] == (1, waits), 1, 2)
        assert tier.ids() == before
        tier.until(lambda: tier.voters([0]) and tier.left(1, 2))
        assert tier.ids() == {"etcd-0": before["etcd-0"]}
    assert writer.lost() == set()


def the_leader_leaves_last_and_a_dead_member_first(tier: Tier) -> None:
    tier.lead(3)
    tier.nodes[4].machine.power_off()
    tier.desire(0, 1, 2)
    said = tier.until(lambda: tier.voters(range(3)) and tier.left(3), 0, 1, 2, 3)
    changes = [text for _, text in said if text.split()[0] in {"removed", "handed"}]
    assert changes == [
        "removed etcd-4: it is not wanted any more",
        "handed leadership to etcd-0",
        "removed etcd-3: it is not wanted any more",
    ]
    assert [len(found) for found in tier.seen] == [5, 4, 3]


def what_has_left_stays_so(tier: Tier) -> None:
    """With its disk, through reboots too."""
    for _ in range(2):
        for number in (3, 4):
            tier.nodes[number].machine.power_off()
        tier.until(lambda: tier.round(3, 4) == [(3, LEFT), (4, LEFT)], 3, 4)
        assert tier.left(3, 4)
        assert all(tier.nodes[number].machine.holds_data() for number in (3, 4))
    assert tier.nodes[4].report() == "left, not healthy"
    assert set(tier.listed()) == {"etcd-0", "etcd-1", "etcd-2"}
