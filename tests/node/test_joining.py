"""Nodes join two at a time, and die while they do, under a client that writes."""

from tests.node.etcd_tier import Tier
from tests.node.writer import Writer


def unstarted(tier: Tier, number: int) -> bool:
    """Whether this one was added, and has never run."""
    return f"https://{tier.member(number)['address']}:2380" in tier.listed()


def until_asking(tier: Tier, *numbers: int) -> None:
    tier.until(
        lambda: all((tier.status(n) or {}).get("state") == "empty" for n in numbers), *numbers
    )


def test_of_two_that_join_at_once_one_dies_as_a_learner(etcd_tier):
    tier = etcd_tier
    tier.form(1)
    with Writer(tier.gateway()) as writer:
        # Before its etcd has run.
        tier.desire(0, 1, 2)
        tier.boot(1, 2)
        until_asking(tier, 1, 2)
        tier.until(lambda: unstarted(tier, 1), 0)
        tier.nodes[1].machine.power_off()
        # It was heard of a moment ago, so the other gives it time.
        assert tier.round(0, 2)[0] == (0, "etcd-1 is to start as a learner")
        tier.age(1, 600)
        said = tier.until(lambda: tier.listed().get("etcd-2") == "voter", 0, 2)
        assert (0, "removed etcd-1: its node is silent, and etcd-2 wants to join") in said
        tier.until(lambda: tier.voters(range(3)))
        assert [tier.nodes[n].machine.states_used for n in (1, 2)] == [["existing"]] * 2

        # While it syncs: with its disk it goes on as the learner that it was.
        tier.desire(0, 1, 2, 3, 4)
        tier.boot(3, 4)
        until_asking(tier, 3, 4)
        machine = tier.nodes[3].machine
        first = sync_and_die(tier)
        tier.until(lambda: machine.active("etcd.service"), 3)
        tier.until(lambda: tier.nodes[3].reconcile() == "etcd is running")
        assert tier.ids()["etcd-3"] == first

        # Without it, it is another one.
        machine.lose_disk()
        second = sync_and_die(tier)
        assert second != first

        # And the other goes on when it stays away.
        tier.age(3, 600)
        tier.until(lambda: tier.listed().get("etcd-4") == "voter", 0, 1, 2, 4)
        assert second not in tier.ids().values()
        tier.until(lambda: tier.voters(range(5)))
        assert tier.ids()["etcd-3"] not in {first, second}
        for found in tier.seen:
            assert list(found.values()).count("learner") <= 1, found
    assert writer.lost() == set()
    assert writer.failed == 0


def sync_and_die(tier: Tier) -> str:
    """Have etcd-3 run as a learner and lose its power; its id."""
    until_asking(tier, 3)
    tier.until(lambda: unstarted(tier, 3), 0, 1, 2)
    # The others take no step, so nobody promotes it.
    tier.until(lambda: tier.listed().get("etcd-3") == "learner", 3)
    found = tier.ids()["etcd-3"]
    tier.nodes[3].machine.power_off()
    return found
