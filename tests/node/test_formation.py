"""The first formation of a cluster by real etcd processes with mutual TLS."""

from base64 import b64decode

import pytest

from node.contract import CLUSTER_ENV
from node.errors import NodeError
from node.etcd import act
from node.etcd.members import founding_id
from node.membership import formation
from tests.node.etcd_tier import FORMATION, MEMBERS, TOKEN

FORMING = f"starting etcd to form the cluster {TOKEN}"


def formed(tier):
    return tier.get(FORMATION)["formed"]


def test_three_machines_form_one_cluster_and_never_another(etcd_tier, aws_down):
    tier = etcd_tier
    tier.found(3)
    before = tier.get(FORMATION)
    tier.boot(0, 1, 2, 3)
    late = tier.nodes[3]
    assert late.reconcile() == "the founding members have not formed the cluster yet"

    # Two of three have a quorum, but the third still needs `new`. That the others run, and say so,
    # is no sign of a cluster that it was a member of.
    assert tier.round(0, 1) == [(0, FORMING), (1, FORMING)]
    missing = "etcd is running and waits for etcd-2 to start"
    tier.until(lambda: tier.round(0, 1) == [(0, missing), (1, missing)], 0, 1)
    assert tier.get(FORMATION) == before
    for number in (0, 1):
        assert tier.nodes[number].report().startswith("member")
        peer_url = f"https://{tier.member(number)['address']}:2380"
        assert tier.status(number)["memberId"] == founding_id(peer_url, TOKEN)

    said = tier.until(lambda: formed(tier) and tier.voters(range(3)), 0, 1, 2)
    assert (2, FORMING) in said
    assert [text for _, text in said].count("the cluster is formed: set the marker") == 1
    assert tier.get(FORMATION) == {**before, "formed": True, "version": 2}
    assert tier.listed() == {"etcd-0": "voter", "etcd-1": "voter", "etcd-2": "voter"}
    founders = [tier.nodes[n] for n in range(3)]
    tier.until(lambda: tier.round(0, 1, 2) == [(n, "etcd is running") for n in range(3)])
    for node in founders:
        assert node.machine.states_used == ["new"]
        assert not node.machine.inside(CLUSTER_ENV).exists()
    assert late.reconcile() == "not a member, and not wanted as one"

    # What people and gates read.
    tier.until(lambda: [node.report() for node in founders] == ["member, healthy"] * 3)
    reports = [tier.status(number) for number in range(3)]
    assert sorted(r["leader"] for r in reports) == [False, False, True]
    assert {f"etcd-{n}": r["memberId"] for n, r in enumerate(reports)} == tier.ids()
    for found in reports:
        assert found["instanceId"] == "i-0abc"
        assert found["members"] == tier.listed()
        assert 0 < found["dbSizeInUse"] <= found["dbSize"]
    assert late.report() == "left, not healthy"
    assert tier.status(3)["members"] is None
    assert late.machine.states_used == []

    # All lose power, and AWS is away.
    founders[0].etcdctl("put", "acknowledged", "write")
    for node in founders:
        node.machine.power_off()
    aws_down()
    starting = "starting etcd from its disk"
    assert tier.round(0, 1, 2) == [(0, starting), (1, starting), (2, starting)]
    tier.until(lambda: all(node.healthy() for node in founders), 0, 1, 2)
    assert [node.machine.states_used for node in founders] == [["new", ""]] * 3
    (pair,) = founders[2].etcdctl("get", "acknowledged")["kvs"]
    assert b64decode(pair["value"]) == b"write"


def test_a_member_that_lost_its_disk_waits_for_its_peers_and_never_founds_a_second_cluster(
    etcd_tier, aws_down
):
    tier = etcd_tier
    tier.form(3)
    old = tier.ids()
    for number in (0, 1):
        tier.nodes[number].machine.power_off()
    lone = tier.nodes[2]
    lone.machine.lose_disk()
    for _ in range(2):
        assert "no member answers: this one never forms a second cluster" in lone.reconcile()
        lone.machine.start("etcd.service")  # as systemd does
        assert lone.machine.states_used == ["new"]
        lone.machine.power_off()
    assert lone.report() == "waiting, not healthy"

    tier.until(lambda: tier.voters(range(3)))
    assert lone.machine.states_used == ["new", "existing"]
    new = tier.ids()
    assert (new["etcd-0"], new["etcd-1"]) == (old["etcd-0"], old["etcd-1"])
    assert new["etcd-2"] not in old.values()

    lone.machine.lose_disk()
    aws_down()
    assert "nobody says whether to form or to join: AWS: Could not" in lone.reconcile()
    lone.machine.start("etcd.service")
    assert lone.machine.states_used == ["new", "existing"]


def test_the_largest_size_forms_at_once(etcd_tier):
    tier = etcd_tier
    tier.form(7)
    assert tier.listed() == {f"etcd-{number}": "voter" for number in range(7)}
    for node in tier.nodes.values():
        assert node.machine.states_used == ["new"]


def test_founding_members_that_were_taken_back_do_not_hold_up_the_others(etcd_tier):
    """A first `pulumi up` for five broke off after three machines, and the next one was for three."""
    tier = etcd_tier
    tier.found(5)
    tier.boot(0, 1, 2)
    tier.desire(0, 1, 2)
    tier.until(lambda: formed(tier) and tier.voters(range(3)))
    assert tier.get(FORMATION)["members"] == [tier.member(number) for number in range(5)]


@pytest.fixture
def single(etcd_tier):
    """The only member of a tier, which is to found a cluster alone."""
    etcd_tier.found(1)
    etcd_tier.boot(0)
    return etcd_tier.nodes[0]


def test_the_only_member_does_not_found_a_second_cluster_on_a_blank_disk(etcd_tier, single):
    etcd_tier.until(lambda: formed(etcd_tier))
    single.machine.lose_disk()
    for _ in range(2):
        assert "restore a snapshot (ha-node restore)" in single.reconcile()
        single.machine.start("etcd.service")
        assert single.machine.states_used == ["new"]
        assert not single.machine.active("etcd.service")
        single.machine.power_off()


def test_a_disk_that_is_emptied_while_the_machine_runs_is_not_started(etcd_tier, single):
    etcd_tier.until(lambda: formed(etcd_tier))
    single.machine.empty_disk()
    single.machine.start("etcd.service")  # as systemd does
    assert single.machine.states_used == ["new"]


def test_the_marker_keeps_what_was_written_meanwhile(etcd_tier, single):
    """Between a node's look and its write another node, or a person, may have written."""
    seen = formation(etcd_tier.get(FORMATION))
    formed = {**etcd_tier.get(FORMATION), "formed": True, "note": "a person's", "version": 2}
    etcd_tier.put(FORMATION, formed)
    assert act.mark_formed(single.settings, seen) == "the cluster is formed"
    assert etcd_tier.get(FORMATION) == formed
    etcd_tier.put(FORMATION, {**formed, "formed": False, "version": 3})
    assert act.mark_formed(single.settings, seen) == "the cluster is formed: set the marker"
    assert etcd_tier.get(FORMATION) == {**formed, "version": 4}
    restoring = {"token": "another", "snapshot": "a-key", "version": 5}
    restoring = {**formed, "formed": False, **restoring}
    etcd_tier.put(FORMATION, restoring)
    assert "a restore was ordered meanwhile" in act.mark_formed(single.settings, seen)
    assert etcd_tier.get(FORMATION) == restoring


@pytest.mark.parametrize("value", [{}, {"formed": False}, {"formed": False, "members": 3}, []])
def test_a_damaged_marker_forms_nothing(etcd_tier, single, value):
    etcd_tier.aws.delete_parameter(Name=FORMATION)
    etcd_tier.put(FORMATION, value)
    with pytest.raises(NodeError, match=r"formation parameter is damaged.*run pulumi up"):
        single.reconcile()
    assert single.machine.states_used == []


@pytest.mark.parametrize("formed", [None, "false", 0, "no"])
def test_only_a_plain_false_lets_a_cluster_be_formed(etcd_tier, single, formed):
    etcd_tier.put(FORMATION, {**etcd_tier.get(FORMATION), "formed": formed, "version": 2})
    assert "never forms a second cluster" in single.reconcile()
    assert single.machine.states_used == []


@pytest.mark.parametrize("name", [FORMATION, MEMBERS])
def test_a_parameter_that_does_not_exist_forms_nothing_that_was_not_asked_for(
    etcd_tier, single, aws, name
):
    aws.delete_parameter(Name=name)
    said = single.reconcile()
    if name == FORMATION:
        assert f"{FORMATION} do not exist: run pulumi up" in said
        assert single.machine.states_used == []
    else:
        # Founding members are those of the marker.
        assert said == FORMING


def test_without_its_volume_a_machine_waits(single):
    single.machine.mounts.clear()
    assert "not mounted" in single.reconcile()
    assert single.machine.states_used == []


def test_a_marker_that_was_made_anew_founds_no_second_cluster(etcd_tier):
    tier = etcd_tier
    tier.form(3)
    right, old = tier.get(FORMATION), tier.ids()
    members = [tier.member(number) for number in range(3)]
    made = {"formed": False, "token": TOKEN, "members": members, "version": 1}

    # `pulumi up` writes back what it made: the leader writes it again.
    tier.put(FORMATION, made)
    tier.until(lambda: formed(tier))
    assert tier.get(FORMATION) == {**right, "version": 4}
    assert "etcd is running" in {text for _, text in tier.round()}

    # The marker is deleted and made again, a disk is lost, and all the others are away.
    for node in tier.nodes.values():
        node.report()
        node.machine.power_off()
    lone = tier.nodes[2]
    lone.machine.lose_disk()
    tier.aws.delete_parameter(Name=FORMATION)
    tier.put(FORMATION, made)
    assert "this node was a member of it and has an empty disk" in lone.reconcile()
    tier.aws.delete_parameters(Names=[tier.status_name(2)])
    assert "etcd-0, etcd-1 reported to be a member of one" in lone.reconcile()
    lone.machine.start("etcd.service")
    assert lone.machine.states_used == ["new"]
    # The others set it right, and it joins them.
    tier.until(lambda: formed(tier) and tier.voters(range(3)))
    assert lone.machine.states_used == ["new", "existing"]
    assert tier.ids()["etcd-2"] not in old.values()
