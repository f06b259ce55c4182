"""From parameters to what the rules decide on."""

import json

from components.gates.aws_reader import Parameter
from components.gates.reports import EtcdReport, NoReport
from components.gates.tier_state import TierWatch
from components.naming import ParameterPaths

PATHS = ParameterPaths("prod")
REPORT = {"state": "member", "leader": False, "healthy": True, "members": None}


def watch(size=3):
    return TierWatch(PATHS, frozenset(f"etcd-{number}" for number in range(size)))


def found(version, *, formed=True, **reports):
    parameters = {PATHS.formation: Parameter(json.dumps({"formed": formed}), version)}
    for name, report in reports.items():
        path = PATHS.status(name.replace("_", "-"))
        text = report if isinstance(report, str) else json.dumps(report)
        parameters[path] = Parameter(text, version)
    return parameters


def test_one_request_has_the_marker_and_every_member_that_may_ever_have_been():
    assert watch().parameters == (
        "/prod/etcd/formation",
        *(f"/prod/nodes/etcd-{number}/status" for number in range(7)),
    )


def test_reports_count_once_they_were_written_again():
    seen = watch()
    first = seen.look(found(1, etcd_0=REPORT), 0)
    assert first.heard["etcd-0"] == NoReport("has not reported since this update began")
    second = seen.look(found(2, etcd_0=REPORT, etcd_1="{}", etcd_5=REPORT), 2)
    assert second.heard["etcd-0"] == EtcdReport(
        state="member", leader=False, healthy=True, members=None
    )
    assert second.heard["etcd-2"] == NoReport("has no report in Parameter Store")
    assert "etcd-6" not in second.heard
    third = seen.look(found(3, etcd_1="{}", etcd_2="?"), 4)
    assert third.heard["etcd-1"] == NoReport("has never reported")


def test_a_damaged_report_is_none_and_its_reason_is_told():
    seen = watch()
    seen.look(found(1, etcd_0=REPORT), 0)
    tier = seen.look(found(2, etcd_0="?"), 2)
    assert tier.heard["etcd-0"] == NoReport("wrote a damaged report (no JSON)")


def test_the_marker():
    assert watch().look(found(1), 0).formed is True
    assert watch().look(found(1, formed=False), 0).formed is False
    assert watch().look(found(2, formed=False), 0).formed is None
    assert watch().look({}, 0).formed is None


def test_a_marker_that_says_never_against_the_word_of_a_member_says_nothing():
    one = found(1, formed=False, etcd_1={**REPORT, "memberId": "1f"})
    assert watch().look(one, 0).formed is None
    assert watch().look(found(1, formed=False, etcd_1={"memberId": None}), 0).formed is False


def test_a_restore_is_told():
    document = {"formed": False, "snapshot": "snapshots/x", "version": 3}
    restoring = {PATHS.formation: Parameter(json.dumps(document), 3)}
    assert watch().look(restoring, 0).restoring
    assert not watch().look(found(3), 0).restoring


OLD = "has an old report in the place of its last one"


def test_an_old_report_that_was_written_back_is_not_a_fresh_one():
    seen = watch()

    def look(version, says, now, **changes):
        report = {**REPORT, "version": says, **changes}
        return seen.look(found(version, etcd_0=report), now).heard["etcd-0"]

    assert look(7, 7, 0) == NoReport("has not reported since this update began")
    assert look(8, 5, 2) == NoReport("has not reported since this update began")
    assert isinstance(look(9, 9, 4), EtcdReport)
    assert look(10, 5, 6) == NoReport(OLD)
    assert look(11, None, 8) == NoReport(OLD), "one from before reports were numbered"
    assert look(12, 12, 10) == EtcdReport(state="member", leader=False, healthy=True, members=None)


def test_what_was_written_back_before_the_gate_began_does_not_count_either():
    seen = watch()
    echo = {**REPORT, "version": 5}
    assert seen.look(found(8, etcd_0=echo), 0).heard["etcd-0"] == NoReport(
        "has not reported since this update began"
    )
    assert isinstance(seen.look(found(9, etcd_0=echo), 2).heard["etcd-0"], NoReport)
    fresh = {**REPORT, "version": 10}
    assert isinstance(seen.look(found(10, etcd_0=fresh), 4).heard["etcd-0"], EtcdReport)
