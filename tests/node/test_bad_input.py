"""Lies, garbage, wrong clocks and people's own changes, under a client that writes."""

import subprocess
from datetime import timedelta

import pytest
from moto.core.utils import utcnow

from tests.node.etcd_nodes import EtcdNode
from tests.node.etcd_tier import MEMBERS, Tier
from tests.node.writer import Writer


@pytest.fixture
def clock(monkeypatch):
    """Have what is written from now on be written at another time, by AWS."""

    def shift(days):
        monkeypatch.setattr("moto.ssm.models.utcnow", lambda: utcnow() + timedelta(days=days))

    return shift


def rounds(tier: Tier) -> list[str]:
    """One step more than any change takes to begin; what was said."""
    return [text for _ in range(2) for _, text in tier.round()]


def test_nothing_is_removed_by_mistake_and_what_people_do_is_put_right(etcd_tier, clock):
    tier = etcd_tier
    tier.form(3)
    with Writer(tier.gateway()) as writer:
        before = tier.ids()
        reports_that_lie(tier)
        a_list_that_is_garbage(tier)
        # Whatever was wrong, nobody came and nobody went.
        assert tier.ids() == before
        assert tier.seen == [dict.fromkeys(before, "voter")]
        assert not any("existing" in node.machine.states_used for node in tier.nodes.values())

        people_add(tier, "--learner")
        people_add(tier, "--learner=false")
        assert tier.ids() == before
        people_remove(tier)

        # The clocks of Parameter Store and of its front disagree; a lost disk is replaced still.
        for days in (-3650, 3650):
            clock(days)
            before = tier.ids()
            tier.nodes[1].machine.lose_disk()
            tier.until(lambda: tier.voters(range(3)))
            assert tier.ids()["etcd-1"] not in before.values()
    assert writer.lost() == set()
    assert writer.failed == 0


def reports_that_lie(tier: Tier) -> None:
    ids = tier.ids()
    # It is healthy; it was another, and another member's id is that of nobody's lost disk.
    for member_id in (ids["etcd-1"], "deadbeef", ids["etcd-2"], None, 3, ["x"]):
        tier.say(1, state="empty", memberId=member_id)
        assert set(rounds(tier)) == {"etcd is running"}
    for document in ([], "empty", 3, {"state": "left"}, {"memberId": ids["etcd-1"]}):
        tier.put(tier.status_name(1), document)
        assert set(rounds(tier)) == {"etcd is running"}
    # It is down, and what was said of a disk that was lost is of another one.
    tier.say(1, state="empty", memberId="deadbeef")
    tier.nodes[1].machine.power_off()
    for _ in range(2):
        tier.round(0, 2)
    assert tier.ids() == ids
    tier.until(lambda: tier.voters(range(3)))


def a_list_that_is_garbage(tier: Tier) -> None:
    right, leader = tier.get(MEMBERS), tier.leader()
    unknown = {"name": "etcd-9", "address": tier.member(9)["address"]}
    damaged = [
        [],
        {},
        None,
        "etcd-0",
        [right[0], right[0], right[1]],
        [right[0], right[1], {"name": "etcd-2"}],
        [right[0], right[1], {"name": "etcd-2", "address": "somewhere"}],
        [right[0], {**right[1], "address": right[0]["address"]}],
    ]
    for value in damaged:
        tier.put(MEMBERS, value)
        for text in rounds(tier):
            assert "the etcd members parameter is damaged" in text
    tier.aws.put_parameter(Name=MEMBERS, Value="[{", Type="String", Overwrite=True)
    assert all("the etcd members parameter is damaged" in text for text in rounds(tier))
    # Even the dead stay while nobody that is there is wanted, and while others are missing.
    down = (leader + 1) % 3
    tier.put(MEMBERS, [unknown])
    tier.nodes[down].machine.power_off()
    others = [n for n in range(3) if n != down]
    for _ in range(2):
        assert (leader, "etcd-9 must ask to join") in tier.round(*others)
    tier.until(tier.nodes[down].healthy)
    tier.put(MEMBERS, [*right[:1], unknown])
    assert "etcd-9 must ask to join" in rounds(tier)
    tier.put(MEMBERS, right)
    tier.until(lambda: tier.voters(range(3)))
    tier.seen[:] = [found for found in tier.seen if found]


def person(node: EtcdNode, *command: str) -> bool:
    """Whether etcd takes a change; it wants every member to be connected for five seconds."""
    try:
        node.etcdctl(*command)
    except subprocess.CalledProcessError:
        return False
    return True


def people_add(tier: Tier, kind: str) -> None:
    """A member that nobody wants."""
    address, node = tier.member(9)["address"], tier.nodes[tier.leader()]
    url = f"--peer-urls=https://{address}:2380"
    tier.until(lambda: person(node, "member", "add", "mine", url, kind))
    said = tier.until(lambda: tier.voters(range(3)))
    assert [text for _, text in said if text.startswith("removed")] == [
        f"removed {address}: it is not wanted any more"
    ]


def people_remove(tier: Tier) -> None:
    """A healthy member, which then comes back as another."""
    before = tier.ids()
    node = tier.nodes[tier.leader()]
    tier.until(lambda: person(node, "member", "remove", before["etcd-2"]))
    tier.until(lambda: tier.voters(range(3)))
    after = tier.ids()
    assert after["etcd-2"] not in before.values()
    assert {**after, "etcd-2": before["etcd-2"]} == before
    assert tier.nodes[2].machine.data() == ["member"]
