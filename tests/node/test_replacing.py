"""Members are replaced, with their disks and without, under a client that writes."""

from node.etcd import local_member
from tests.node.writer import Writer


def only_one_was_away(tier, since):
    """Whether no more than one member was missing, or no voter, at any time."""
    seen = tier.seen[since:]
    voters = [sum(role == "voter" for role in found.values()) for found in seen]
    return min(voters) == 2 and max(len(found) for found in seen) == 3


def test_a_member_is_replaced_with_its_disk_and_without(etcd_tier):
    tier = etcd_tier
    tier.form(3)
    with Writer(tier.gateway()) as writer:
        # Right after the formation: nothing but the marker says that there was a member.
        before, since = tier.ids(), len(tier.seen)
        assert tier.status(2) is None
        tier.nodes[2].machine.lose_disk()
        said = tier.until(lambda: tier.voters(range(3)))
        after = tier.ids()
        assert after["etcd-2"] not in before.values()
        assert {**after, "etcd-2": before["etcd-2"]} == before
        assert only_one_was_away(tier, since)
        changes = [text for _, text in said if text.split()[0] in {"added", "removed", "promoted"}]
        assert changes == [
            "removed etcd-2: it lost its disk",
            "added etcd-2 as a learner",
            "promoted etcd-2 to a voter",
        ]
        assert tier.nodes[2].machine.states_used == ["new", "existing"]

        # With its disk it is the member that it was.
        before, since = after, len(tier.seen)
        leader = tier.leader()
        tier.replace(leader, keep_disk=True)
        tier.until(lambda: tier.voters(range(3)))
        assert tier.ids() == before
        assert tier.nodes[leader].machine.states_used == [""]
        assert tier.seen[since:] == []

        # Without it, it never has the id that it had.
        leader, since = tier.leader(), len(tier.seen)
        tier.replace(leader, keep_disk=False)
        tier.until(lambda: tier.voters(range(3)))
        after = tier.ids()
        name = f"etcd-{leader}"
        assert after[name] not in before.values()
        assert {**after, name: before[name]} == before
        assert tier.nodes[leader].machine.states_used == ["existing"]
        assert only_one_was_away(tier, since)
        tier.until(lambda: tier.nodes[leader].report() == "member, healthy")
    assert tier.status(leader)["memberId"] == after[name]
    assert writer.lost() == set()
    assert writer.failed == 0


def test_a_leader_whose_etcd_misjudges_a_connection_leaves_the_change_to_another(
    etcd_tier, monkeypatch
):
    tier = etcd_tier
    tier.form(3)
    tier.lead(0)
    ids, judged = tier.ids(), local_member.connected
    address = tier.nodes[0].settings.etcd.address

    def misjudged(etcd):
        return judged(etcd) - ({ids["etcd-1"]} if etcd.address == address else set())

    monkeypatch.setattr(local_member, "connected", misjudged)
    tier.replace(2, keep_disk=False)
    said = tier.until(lambda: tier.voters(range(3)))
    assert (0, "handed leadership to etcd-1") in said
    assert tier.ids()["etcd-2"] != ids["etcd-2"]
    assert tier.leader() == 1
