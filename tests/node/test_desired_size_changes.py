"""The desired members change while a change is under way, under a client that writes."""

from tests.node.writer import Writer


def test_the_latest_desired_size_is_what_comes_true(etcd_tier):
    tier = etcd_tier
    tier.form(3)
    founders = tier.ids()
    with Writer(tier.gateway()) as writer:
        # Three to five, and back to three while the learner is there and runs.
        tier.desire(*range(5))
        tier.boot(3)
        tier.until(lambda: len(tier.listed()) == 4)
        # The others take no step, so nobody promotes it.
        tier.until(lambda: tier.listed().get("etcd-3") == "learner", 3)
        tier.boot(4)
        tier.round(4)
        tier.desire(*range(3))
        tier.until(lambda: tier.voters(range(3)) and tier.left(3, 4))
        assert tier.nodes[4].machine.states_used == []

        # Three to seven, and five once the first has joined.
        tier.desire(*range(7))
        tier.boot(5, 6)
        tier.until(lambda: len(tier.listed()) > 3)
        tier.desire(*range(5))
        tier.until(lambda: tier.voters(range(5)) and tier.left(5, 6))

        # Five to three, and five again once the first has left.
        tier.desire(*range(3))
        tier.until(lambda: len(tier.listed()) == 4)
        tier.desire(*range(5))
        tier.until(lambda: tier.voters(range(5)))

        assert {name: tier.ids()[name] for name in founders} == founders
        for found in tier.seen:
            assert set(founders) <= {name for name, role in found.items() if role == "voter"}, found
            assert list(found.values()).count("learner") <= 1, found
            assert len(found) <= 5, found
        assert all(node.machine.data() == ["member"] for node in tier.alive())
    assert writer.lost() == set()
    assert writer.failed == 0
