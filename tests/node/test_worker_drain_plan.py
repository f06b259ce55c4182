"""Plan of a drain: which pods leave, and that it ends whatever happens. Pure."""

from datetime import UTC, datetime, timedelta

import pytest

from node.worker import drain_plan
from node.worker.drain_plan import Pod, Progress, eviction, over, pods, said
from tests.node.worker_node import pod

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
WEB = Pod("default", "web-0", "uid", 30)


def ending(seconds: float) -> Pod:
    """A pod that is killed in so many seconds."""
    return Pod("default", "web-1", "uid", 30, NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("changes", "leaves"),
    [
        ({}, True),
        ({"metadata": {"ownerReferences": None}}, True),
        ({"metadata": {"ownerReferences": [{"kind": "StatefulSet", "controller": True}]}}, True),
        ({"metadata": {"ownerReferences": [{"kind": "DaemonSet", "controller": True}]}}, False),
        ({"metadata": {"ownerReferences": [{"kind": "DaemonSet"}]}}, True),
        ({"metadata": {"annotations": {"kubernetes.io/config.mirror": "x"}}}, False),
        ({"metadata": {"annotations": {"another": "x"}}}, True),
        ({"status": {"phase": "Succeeded"}}, False),
        ({"status": {"phase": "Failed"}}, False),
        ({"status": {"phase": "Pending"}}, True),
        ({"status": {}}, True),
    ],
)
def test_all_pods_leave_but_those_that_would_come_back_or_have_ended(changes, leaves):
    assert [one.path for one in pods([pod("web-0", **changes)])] == ["default/web-0"] * leaves


@pytest.mark.parametrize(("grace", "seconds"), [(None, 30), (0, 0), (3600, 3600)])
def test_the_time_that_a_pod_may_take_is_its_own(grace, seconds):
    (found,) = pods([pod("web-0", spec={"terminationGracePeriodSeconds": grace})])
    assert (found.grace, found.ends) == (seconds, None)


def test_a_pod_that_was_told_to_end_says_when():
    (found,) = pods([pod("web-0", metadata={"deletionTimestamp": "2026-11-29T12:00:30Z"})])
    assert found.ends == NOW + timedelta(seconds=30)


def test_an_eviction_is_of_the_very_pod_and_takes_its_own_time():
    assert eviction(WEB, None) == {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"namespace": "default", "name": "web-0"},
        "deleteOptions": {"preconditions": {"uid": "uid"}},
    }


@pytest.mark.parametrize(
    ("left", "grace", "seconds"),
    [(120, 30, None), (120, 110, None), (120, 3600, 110), (15, 30, 5), (3, 30, 1), (-5, 30, 1)],
)
def test_a_spot_instance_leaves_no_pod_more_time_than_there_is(left, grace, seconds):
    options = eviction(Pod("default", "web-0", "uid", grace), left)["deleteOptions"]
    assert options.get("gracePeriodSeconds") == seconds


@pytest.mark.parametrize(
    ("progress", "reason"),
    [
        (Progress(0), ""),
        (Progress(0, left=()), "all pods have left"),
        (Progress(0, left=(), silent=5, trouble="away"), ""),
        (Progress(10, silent=59, trouble="away"), ""),
        (Progress(10, silent=60, trouble="away"), "gave up: away"),
        (Progress(10, silent=61, trouble="away", left=(WEB,)), "gave up: away"),
        (Progress(839, left=(WEB,), refused={WEB: "budget"}), ""),
        (
            Progress(840, left=(WEB,), refused={WEB: "the budget web needs 2"}),
            "gave up after 840 s: default/web-0 stays: the budget web needs 2",
        ),
        # Within its own time, which is longer than the hook's, and late by less than half a minute.
        (Progress(900, left=(ending(60),)), ""),
        (Progress(900, left=(ending(-29),)), ""),
        (Progress(900, left=(ending(-30),)), "gave up after 900 s: default/web-1 is ending"),
        (Progress(3600, left=(ending(60),)), "gave up after 3600 s: default/web-1 is ending"),
        # Told to end by this very round.
        (Progress(900, left=(WEB,), refused={}), ""),
        # With nowhere to go, no budget is waited for, but all that is ending is.
        (
            Progress(200, left=(WEB,), refused={WEB: "budget"}, stranded=True),
            "gave up, since no other node takes pods: default/web-0 stays: budget",
        ),
        (Progress(200, left=(WEB, ending(9)), refused={WEB: "budget"}, stranded=True), ""),
        (Progress(200, left=(WEB,), refused={}, stranded=True), ""),
        # A budget that blocks does not end what others may still take.
        (Progress(900, left=(WEB, ending(60)), refused={WEB: "budget"}), ""),
        (Progress(5, left=(WEB,), refused={WEB: "budget"}, spot=1), ""),
        (
            Progress(5, left=(WEB,), refused={WEB: "budget"}, spot=0),
            "EC2 takes the instance back: default/web-0 stays: budget",
        ),
    ],
)
def test_a_drain_ends_whatever_happens(progress, reason):
    assert over(progress, NOW) == reason


def test_without_any_answer_a_drain_never_outlives_its_limits():
    for silent in (0, 30, 59):
        assert over(Progress(drain_plan.LIMIT_SECONDS, silent=silent, trouble="away"), NOW)


@pytest.mark.parametrize(
    ("progress", "line"),
    [
        (Progress(0), "no API server was asked yet"),
        (Progress(0, silent=1, trouble="away", left=(WEB,)), "away"),
        (Progress(0, left=()), "all pods have left"),
        (Progress(0, left=(WEB,), refused={}), "default/web-0 is ending"),
        (
            Progress(0, left=(WEB, ending(1)), refused={}),
            "default/web-0, default/web-1 are ending",
        ),
        (
            Progress(0, left=(WEB, ending(1)), refused={WEB: "budget"}),
            "default/web-0 stays: budget; default/web-1 is ending",
        ),
    ],
)
def test_it_says_what_it_waits_for(progress, line):
    assert said(progress) == line


def test_a_line_names_a_few_of_many():
    many = tuple(Pod("default", f"web-{number}", f"uid-{number}", 30) for number in range(9))
    assert said(Progress(0, left=many, refused={})) == (
        "default/web-0, default/web-1, default/web-2, default/web-3, default/web-4, 4 more are "
        "ending"
    )
    line = said(Progress(0, left=many, refused=dict.fromkeys(many, "budget")))
    assert line.endswith("default/web-4 stays: budget; 4 more")
