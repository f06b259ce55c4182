"""Who is missing, and who has to be asked before that is known."""

from dataclasses import replace
from itertools import product

import pytest

from node.aws import Stored
from node.etcd.members import Entry
from node.etcd.missing_members import doubtful, missing
from node.membership import Member

ETCD_1 = Member("etcd-1", "10.0.224.21")
VOTER = Entry("b", "etcd-1", "10.0.224.21", voter=True, started=True)
LEARNER = replace(VOTER, voter=False)
WELL = Stored({"state": "member", "healthy": True}, age=20.0)
UNWELL = replace(WELL, document={"state": "member", "healthy": False})
SILENT = replace(WELL, age=181.0)
BEING_MADE = Stored({}, age=60.0)


@pytest.mark.parametrize(
    ("entries", "connected", "report", "asked", "is_missing"),
    [
        ([VOTER], {"b"}, WELL, True, False),
        ([VOTER], set(), WELL, True, True),
        ([VOTER], set(), SILENT, False, True),
        ([VOTER], set(), UNWELL, False, True),
        ([VOTER], set(), None, False, True),
        ([VOTER], {"b"}, SILENT, False, True),
        ([LEARNER], set(), WELL, False, True),
        ([], set(), WELL, False, True),
        ([], set(), BEING_MADE, False, False),
    ],
)
def test_who_is_missing_and_who_is_asked_first(entries, connected, report, asked, is_missing):
    said = {"etcd-1": report} if report else {}
    assert doubtful([ETCD_1], entries, "a", said) == ([VOTER] if asked else [])
    assert missing([ETCD_1], entries, connected, said) == (["etcd-1"] if is_missing else [])


@pytest.mark.parametrize(
    ("entries", "report"),
    list(product([[VOTER], [LEARNER], []], [WELL, UNWELL, SILENT, BEING_MADE])),
)
def test_whom_nobody_asks_could_not_change_the_number(entries, report):
    said = {"etcd-1": report}
    before, after = (missing([ETCD_1], entries, ids, said) for ids in (set(), {"b"}))
    assert (before != after) == bool(doubtful([ETCD_1], entries, "a", said))


def test_a_member_that_nobody_wants_is_not_asked():
    assert doubtful([], [VOTER], "a", {"etcd-1": WELL}) == []


def test_the_leader_does_not_ask_itself():
    assert doubtful([ETCD_1], [VOTER], "b", {"etcd-1": WELL}) == []
