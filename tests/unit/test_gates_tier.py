"""From parameters to what the rules decide on."""

import json

from components.gates.aws import Parameter
from components.gates.reports import EtcdReport, Silence
from components.gates.tier import TierWatch
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
    assert first.heard["etcd-0"] == Silence("has not reported since this update began")
    second = seen.look(found(2, etcd_0=REPORT, etcd_1="{}", etcd_5=REPORT), 2)
    assert second.heard["etcd-0"] == EtcdReport(
        state="member", leader=False, healthy=True, members=None
    )
    assert second.heard["etcd-2"] == Silence("has no report in Parameter Store")
    assert "etcd-6" not in second.heard
    third = seen.look(found(3, etcd_1="{}", etcd_2="?"), 4)
    assert third.heard["etcd-1"] == Silence("has never reported")


def test_a_damaged_report_is_none_and_its_reason_is_told():
    seen = watch()
    seen.look(found(1, etcd_0=REPORT), 0)
    tier = seen.look(found(2, etcd_0="?"), 2)
    assert tier.heard["etcd-0"] == Silence("wrote a damaged report (no JSON)")


def test_the_marker():
    assert watch().look(found(1), 0).formed is True
    assert watch().look(found(1, formed=False), 0).formed is False
    assert watch().look({}, 0).formed is None
