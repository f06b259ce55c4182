import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.gates.reports import (
    DamagedReportError,
    EtcdReport,
    Marker,
    read_marker,
    read_report,
    was_member,
)

SOUND = {
    "instanceId": "i-0123456789abcdef0",
    "time": "2026-11-24T20:00:00+00:00",
    "state": "member",
    "memberId": "8e9e05c52164694d",
    "leader": True,
    "healthy": True,
    "members": {"etcd-0": "voter", "etcd-3": "learner"},
    "dbSize": 20480,
    "dbSizeInUse": 16384,
}


def test_a_report():
    assert read_report(json.dumps(SOUND)) == EtcdReport(
        state="member", leader=True, healthy=True, members={"etcd-0": "voter", "etcd-3": "learner"}
    )
    assert read_report(json.dumps({**SOUND, "members": None, "later": 1})).members is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{}", "has never reported"),
        ('{"version": 1}', "has never reported"),
        ("", "wrote a damaged report (no JSON)"),
        ("[]", "wrote a damaged report (no JSON object)"),
        ("[" * 100_000, "wrote a damaged report (no JSON)"),
        (json.dumps({**SOUND, "state": "fine"}), 'wrote a damaged report (state "fine")'),
        (json.dumps({**SOUND, "state": ["member"]}), 'wrote a damaged report (state ["member"])'),
        (
            json.dumps({**SOUND, "healthy": "yes"}),
            'wrote a damaged report (healthy "yes", neither true nor false)',
        ),
        (
            json.dumps({k: v for k, v in SOUND.items() if k != "leader"}),
            "wrote a damaged report (leader null, neither true nor false)",
        ),
        (
            json.dumps({**SOUND, "members": ["etcd-0"]}),
            'wrote a damaged report (members ["etcd-0"])',
        ),
        (
            json.dumps({**SOUND, "members": {"etcd-0": "boss"}}),
            'wrote a damaged report (members {"etcd-0": "boss"})',
        ),
    ],
)
def test_a_damaged_report_says_what_is_wrong_with_it(text, reason):
    with pytest.raises(DamagedReportError) as error:
        read_report(text)
    assert str(error.value) == reason


def test_a_long_value_is_cut():
    with pytest.raises(DamagedReportError) as error:
        read_report(json.dumps({**SOUND, "state": "x" * 1000}))
    assert len(str(error.value)) < 100


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,  # for each of nine keys
)


@given(
    st.text()
    | json_values.map(json.dumps)
    | st.fixed_dictionaries(dict.fromkeys(SOUND, json_values)).map(json.dumps)
)
def test_any_text_is_a_report_or_damaged(text):
    try:
        report = read_report(text)
    except DamagedReportError as error:
        assert str(error)  # noqa: PT017 - either outcome is fine
    else:
        assert isinstance(report.healthy, bool)
    assert read_marker(text, 1).formed in {True, False, None}
    assert was_member(text) in {True, False}


@pytest.mark.parametrize(
    ("text", "formed"),
    [
        ('{"formed": false}', False),
        ('{"formed": true}', True),
        ('{"formed": 0}', None),
        ('{"formed": "false"}', None),
        ("{}", None),
        ("false", None),
        ("", None),
        (None, None),
    ],
)
def test_only_a_plain_false_says_that_the_cluster_was_never_formed(text, formed):
    assert read_marker(text, 1) == Marker(formed=formed)


@pytest.mark.parametrize(
    ("document", "version", "formed", "restoring"),
    [
        ({"formed": False, "version": 1}, 1, False, False),
        ({"formed": True, "version": 2}, 2, True, False),
        # Written after the parameter was made, it is an old value that was written back ...
        ({"formed": False}, 3, None, False),
        ({"formed": False, "version": 1}, 3, None, False),
        ({"formed": True, "version": 2}, 3, None, False),
        # ... or a restore.
        ({"formed": False, "version": 3, "snapshot": "snapshots/x"}, 3, None, True),
        ({"formed": False, "snapshot": "snapshots/x"}, 3, None, True),
        ({"formed": False, "version": 1, "superseded": ["t"]}, 1, None, True),
        ({"formed": True, "version": 4, "snapshot": "snapshots/x"}, 4, True, False),
    ],
)
def test_false_means_a_first_founding_only(document, version, formed, restoring):
    marker = read_marker(json.dumps(document), version)
    assert marker == Marker(formed=formed, restoring=restoring)


def test_who_ever_was_a_member():
    assert was_member(json.dumps(SOUND))
    assert not was_member(json.dumps({**SOUND, "memberId": None}))
    assert not was_member("{}")
    assert not was_member("?")
