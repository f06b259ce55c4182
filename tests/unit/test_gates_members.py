"""The rules on etcd members, with every state that a report can have."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.gates.member_rules import Tier, disk_may_go, may_be_replaced, may_leave
from components.gates.reports import ROLES, STATES, EtcdReport, NoReport
from components.gates.verdict import Pass, Refuse, Wait

NAMES = [f"etcd-{number}" for number in range(7)]
SILENT = NoReport("has not reported since this update began")


def voters(count):
    return dict.fromkeys(NAMES[:count], "voter")


def member(*, leader=False, healthy=True, members=None):
    return EtcdReport(state="member", leader=leader, healthy=healthy, members=members)


def state(name):
    return EtcdReport(state=name, leader=False, healthy=False, members=None)


def tier(size, *, formed=True, membership=None, **said):
    """A healthy tier led by its first member, but for what is `said`: etcd_1=..."""
    membership = voters(size) if membership is None else membership
    heard = {name: member(leader=name == "etcd-0", members=membership) for name in NAMES[:size]} | {
        name.replace("_", "-"): report for name, report in said.items()
    }
    return Tier(desired=frozenset(NAMES[:size]), formed=formed, heard=heard)


@pytest.mark.parametrize("size", [3, 5, 7])
def test_a_member_of_a_healthy_tier_may_be_replaced(size):
    for name in NAMES[:size]:
        # The successor is not there yet: its own report is of no matter.
        for own in (SILENT, state("waiting"), member(healthy=False)):
            if name == "etcd-0" and own is not SILENT:
                continue
            view = tier(size, **({} if name == "etcd-0" else {name.replace("-", "_"): own}))
            assert may_be_replaced(view, name, running=True) == Pass(
                "the other members are healthy"
            )


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (SILENT, "etcd-2 has not reported since this update began"),
        (member(healthy=False), "etcd-2 is not healthy"),
        *(
            (state(name), f"etcd-2 is no member yet (it reports {name})")
            for name in sorted(STATES - {"member"})
        ),
    ],
)
def test_one_other_member_that_is_not_well_holds_back_a_replacement(said, reason):
    assert may_be_replaced(tier(3, etcd_2=said), "etcd-1", running=True) == Wait((reason,))
    five = may_be_replaced(tier(5, etcd_2=said), "etcd-1", running=True)
    assert five == Wait((reason,)), "also where quorum would survive"


def test_every_reason_is_told():
    view = tier(5, etcd_2=SILENT, etcd_3=member(healthy=False))
    assert str(may_be_replaced(view, "etcd-1", running=True)) == (
        "etcd-2 has not reported since this update began; etcd-3 is not healthy"
    )


def test_without_a_leader_everybody_waits():
    view = tier(3, etcd_0=SILENT)
    assert may_be_replaced(view, "etcd-0", running=True) == Wait(
        ("etcd-0 has not reported since this update began", "no leader has reported")
    )


@pytest.mark.parametrize(
    "claim",
    [
        member(leader=True, members=None),
        member(leader=True, healthy=False, members=voters(3)),
        EtcdReport(state="joining", leader=True, healthy=True, members=voters(3)),
        member(leader=True, members={"etcd-0": "learner", "etcd-1": "voter", "etcd-2": "voter"}),
        member(leader=True, members={}),
    ],
)
def test_a_claim_to_lead_that_contradicts_itself_does_not_count(claim):
    verdict = may_be_replaced(tier(3, etcd_0=claim), "etcd-1", running=True)
    assert isinstance(verdict, Wait)
    assert verdict.reasons[-1] == "no leader has reported"


def test_two_leaders_are_none():
    view = tier(3, etcd_1=member(leader=True, members={"etcd-1": "voter"}))
    assert may_be_replaced(view, "etcd-2", running=True) == Wait(
        ("etcd-0 and etcd-1 say that they lead",)
    )


def test_the_only_voter_is_refused_at_once_with_the_way_out():
    view = tier(1)
    verdict = may_be_replaced(view, "etcd-0", running=True)
    assert isinstance(verdict, Refuse)
    assert "set etcd.size to 3 first" in verdict.reason
    assert "protect: false" in verdict.reason


def test_of_two_voters_none_can_be_spared():
    view = tier(3, membership=voters(2), etcd_2=state("joining"))
    assert may_be_replaced(view, "etcd-1", running=True) == Wait(
        ("of 2 voting members none can be spared (quorum 2)",)
    )


def test_a_learner_has_no_vote_to_lose():
    membership = {**voters(2), "etcd-2": "learner"}
    view = tier(3, membership=membership, etcd_2=state("joining"))
    assert may_be_replaced(view, "etcd-2", running=True) == Pass("it has no vote")


def test_a_learner_that_was_just_promoted_is_waited_for():
    membership = {**voters(2), "etcd-2": "learner"}
    view = tier(3, membership=membership)
    verdict = may_be_replaced(view, "etcd-2", running=True)
    assert isinstance(verdict, Wait)


@pytest.mark.parametrize("rule", [lambda t: may_be_replaced(t, "etcd-1", running=True)])
def test_before_the_formation_there_is_nothing_to_lose(rule):
    silent = dict.fromkeys(["etcd_0", "etcd_1", "etcd_2"], SILENT)
    assert isinstance(rule(tier(3, formed=False, **silent)), Pass)
    assert isinstance(rule(tier(3, formed=None, **silent)), Wait), "an unreadable marker"
    assert isinstance(rule(tier(3, formed=True, **silent)), Wait)


def test_a_machine_that_does_not_run_may_go_whatever_the_others_say():
    silent = dict.fromkeys(["etcd_0", "etcd_1", "etcd_2"], SILENT)
    assert isinstance(may_be_replaced(tier(3, **silent), "etcd-1", running=False), Pass)


def test_a_node_goes_when_it_says_that_it_left():
    view = tier(3, etcd_3=state("left"))
    assert may_leave(view, "etcd-3") == Pass("it has left the cluster")


@pytest.mark.parametrize("name", sorted(STATES - {"left"}))
def test_a_node_that_reports_anything_else_is_waited_for(name):
    view = tier(3, etcd_3=state(name))
    assert may_leave(view, "etcd-3") == Wait(
        (f"etcd-3 has not left the cluster yet (it reports {name})",)
    )


def test_a_silent_node_goes_when_the_leader_does_not_list_it():
    assert may_leave(tier(3, etcd_3=SILENT), "etcd-3") == Pass(
        "the leader does not list it any more"
    )
    assert may_leave(tier(3), "etcd-3") == Pass("the leader does not list it any more")


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_silent_node_that_the_leader_lists_is_waited_for(role):
    view = tier(3, membership={**voters(3), "etcd-3": role}, etcd_3=SILENT)
    assert str(may_leave(view, "etcd-3")) == (
        "etcd-3 has not reported since this update began, and the leader still lists it"
    )


def test_a_silent_node_without_a_leader_is_waited_for():
    view = tier(3, etcd_0=SILENT, etcd_3=SILENT)
    assert may_leave(view, "etcd-3") == Wait(
        (
            "etcd-3 has not reported since this update began",
            "etcd-0 has not reported since this update began",
            "no leader has reported",
        )
    )


@pytest.mark.parametrize("formed", [True, False, None])
def test_the_disk_of_a_member_stays(formed):
    verdict = disk_may_go(tier(3, formed=formed), "etcd-2")
    assert isinstance(verdict, Refuse)
    assert "would delete its data" in verdict.reason


def test_the_disk_of_a_node_that_left_goes():
    assert isinstance(disk_may_go(tier(3, etcd_3=state("left")), "etcd-3"), Pass)
    assert isinstance(disk_may_go(tier(3, etcd_3=state("waiting")), "etcd-3"), Wait)


reports = st.builds(
    EtcdReport,
    state=st.sampled_from(sorted(STATES)),
    leader=st.booleans(),
    healthy=st.booleans(),
    members=st.none() | st.dictionaries(st.sampled_from(NAMES), st.sampled_from(sorted(ROLES))),
)
tiers = st.builds(
    Tier,
    desired=st.sampled_from([frozenset(NAMES[:size]) for size in (1, 3, 5, 7)]),
    formed=st.sampled_from([True, None]),
    heard=st.dictionaries(st.sampled_from(NAMES), reports | st.just(SILENT)),
)


@st.composite
def led(draw):
    """A tier with one leader at least, so that gates have something to pass on."""
    view = draw(tiers)
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    membership = dict.fromkeys(names, "voter") | draw(
        st.dictionaries(st.sampled_from(NAMES), st.just("learner"), max_size=1)
    )
    well = {name: member() for name in draw(st.sets(st.sampled_from(names)))}
    leads = {names[0]: member(leader=True, members=membership)}
    return Tier(desired=view.desired, formed=True, heard={**view.heard, **well, **leads})


def truth(view):
    claims = [
        r.members
        for n, r in view.heard.items()
        if isinstance(r, EtcdReport)
        and r.leader
        and r.healthy
        and r.state == "member"
        and (r.members or {}).get(n) == "voter"
    ]
    return claims[0] if len(claims) == 1 else None


@given(tiers | led(), st.sampled_from(NAMES))
def test_no_replacement_leaves_fewer_healthy_voters_than_quorum(view, name):
    if not isinstance(may_be_replaced(view, name, running=True), Pass):
        return
    membership = truth(view)
    assert membership is not None, "nothing passes without one leader"
    voting = {n for n, role in membership.items() if role == "voter"}
    well = {
        n
        for n in voting - {name}
        if isinstance(r := view.heard.get(n), EtcdReport) and r.state == "member" and r.healthy
    }
    if name in voting:
        assert well == voting - {name}
        assert len(well) >= len(voting) // 2 + 1
    else:
        own = view.heard.get(name)
        assert not (isinstance(own, EtcdReport) and own.state == "member")


@given(tiers | led(), st.sampled_from(NAMES))
def test_nobody_leaves_who_may_still_have_a_vote(view, name):
    if not isinstance(may_leave(view, name), Pass):
        return
    own, membership = view.heard.get(name), truth(view)
    if isinstance(own, EtcdReport):
        assert own.state == "left"
    else:
        assert membership is not None
        assert name not in membership


@given(tiers | led(), st.sampled_from(NAMES))
def test_no_disk_of_a_wanted_member_is_deleted(view, name):
    verdict = disk_may_go(view, name)
    assert isinstance(verdict, Refuse) == (name in view.desired)


RESTORING = Wait(("a snapshot is being restored, and the cluster is not formed again yet",))


@pytest.mark.parametrize("own", [SILENT, member(), state("left"), state("waiting")])
def test_while_a_snapshot_is_restored_nobody_goes(own):
    view = replace(tier(3, formed=None, etcd_1=own), restoring=True)
    assert may_be_replaced(view, "etcd-1", running=True) == RESTORING
    assert may_leave(view, "etcd-1") == RESTORING
    assert disk_may_go(replace(view, desired=frozenset()), "etcd-1") == RESTORING
    # Nothing runs there that a restore could count on.
    assert isinstance(may_be_replaced(view, "etcd-1", running=False), Pass)
