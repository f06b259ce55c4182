"""What etcd nodes tell Parameter Store, and what they make of what the others told it."""

import json

import pytest

from components.gates.reports import read_report
from node.aws import ParameterStore, Stored
from node.contract import EtcdState
from node.etcd import member_status
from node.etcd.member_status import Report
from node.membership import Member
from tests.node.conftest import REGION

PATH = "/test/nodes/etcd-0/status"


@pytest.fixture
def settings(node, aws):
    return node("etcd-0")


@pytest.fixture
def etcdctl(etcd_binaries, monkeypatch):
    """The real one, which nobody answers."""
    monkeypatch.setenv("PATH", str(etcd_binaries), prepend=":")


def stored(aws, path=PATH):
    return json.loads(aws.get_parameter(Name=path)["Parameter"]["Value"])


def version(aws):
    return aws.get_parameter(Name=PATH)["Parameter"]["Version"]


def put(aws, document, path=PATH):
    text = document if isinstance(document, str) else json.dumps(document)
    aws.put_parameter(Name=path, Value=text, Type="String", Overwrite=True)


@pytest.mark.parametrize("document", [None, [], "empty", 3, {}, {"memberId": "1f"}])
def test_a_damaged_report_is_none(document):
    assert member_status.read(Stored(document, 0)) is None
    assert member_status.read(None) is None


@pytest.mark.parametrize(
    ("age", "fresh"), [(0, True), (179, True), (180, False), (-179, True), (-180, False)]
)
def test_a_report_is_fresh_for_three_minutes_whichever_clock_is_ahead(age, fresh):
    document = {"state": "empty", "memberId": "1f", "healthy": False}
    assert member_status.read(Stored(document, age)) == Report("empty", "1f", fresh)


def test_reports_are_read_by_name_and_damaged_ones_left_out(aws, settings):
    nodes = [Member(f"etcd-{n}", f"10.0.224.{4 + n}") for n in range(12)]
    for number in (0, 3, 11):
        put(aws, {"state": "member", "memberId": f"{number}"}, f"/test/nodes/etcd-{number}/status")
    put(aws, "[{", "/test/nodes/etcd-4/status")
    put(aws, {}, "/test/nodes/etcd-5/status")
    assert member_status.reports(ParameterStore(REGION), settings, nodes) == {
        f"etcd-{n}": Report("member", f"{n}", fresh=True) for n in (0, 3, 11)
    }


@pytest.mark.parametrize(
    ("document", "last"),
    [
        (None, None),
        ([], None),
        ("1f", None),
        ({}, None),
        ({"memberId": None}, None),
        ({"memberId": ""}, None),
        ({"memberId": "1f"}, "1f"),
    ],
)
def test_the_last_id_is_that_of_its_own_last_status(document, last):
    assert member_status.last_id(document) == last


SILENT = {
    "instanceId": "i-0abc",
    "leader": False,
    "healthy": False,
    "members": None,
    "dbSize": None,
    "dbSizeInUse": None,
    "dbSizeQuota": None,
    "snapshot": None,
    "disk": None,
}


@pytest.mark.parametrize("state", EtcdState)
def test_gates_read_what_nodes_write(aws, settings, state):
    member_status.declare(settings, state, "1f")
    report = read_report(json.dumps(stored(aws)))
    assert (report.state, report.leader, report.healthy, report.members) == (
        state,
        False,
        False,
        None,
    )


def test_what_was_decided_is_told_once(aws, settings):
    member_status.declare(settings, "empty", "1f")
    found = stored(aws)
    assert found.pop("time")
    assert found == {**SILENT, "state": "empty", "memberId": "1f", "version": 1}
    assert version(aws) == 1
    member_status.declare(settings, "empty", "1f")
    assert version(aws) == 1
    member_status.declare(settings, "empty", "2f")
    assert version(aws) == 2
    member_status.declare(settings, "left", None)
    assert (stored(aws)["state"], stored(aws)["memberId"]) == ("left", None)


@pytest.mark.parametrize("before", ["{}", "[{", "[]", '{"state": "member"}'])
def test_whatever_was_there_before_is_replaced(aws, settings, before):
    put(aws, before)
    member_status.declare(settings, "empty", None)
    assert (stored(aws)["state"], stored(aws)["memberId"]) == ("empty", None)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("empty", "empty"),
        ("joining", "joining"),
        ("left", "left"),
        ("member", "waiting"),
        ("waiting", "waiting"),
        ("garbage", "waiting"),
        (None, "waiting"),
    ],
)
@pytest.mark.usefixtures("etcdctl")
def test_while_etcd_is_silent_what_was_decided_holds(aws, settings, before, after):
    put(aws, {"state": before, "memberId": "1f", "leader": True, "healthy": True})
    told = member_status.write(settings, settings.etcd)
    found = stored(aws)
    assert found.pop("time")
    assert found == {**SILENT, "state": after, "memberId": "1f", "version": 2}
    assert told == {key: found[key] for key in told}


def test_an_old_status_that_was_written_back_says_nothing(aws, settings):
    """Else the node would join under an id whose disk is gone."""
    put(aws, {"version": 1})
    member_status.declare(settings, "joining", "1f")
    put(aws, {"version": 1})
    put(aws, {"state": "member", "memberId": "0a", "version": 2})
    store, me = ParameterStore(REGION), Member("etcd-0", "10.0.224.4")
    assert member_status.reports(store, settings, [me])["etcd-0"].member_id == "1f"
    member_status.declare(settings, "joining", "1f")
    assert version(aws) == 4, "it was said already"
    member_status.declare(settings, "empty", "1f")
    assert stored(aws)["version"] == 5
