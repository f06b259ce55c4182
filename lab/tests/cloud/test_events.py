"""The event log adds up to what a person wants to know."""

import pytest

from lab.stack.events import Operation, Tally

STACK = "urn:pulumi:local::ha-kubernetes::"
INSTANCE = f"{STACK}hak8s:index:EtcdTier$aws:ec2/instance:Instance::etcd-0"


def _step(kind, operation, urn, when=0, *, planning=False):
    return {
        "timestamp": when,
        kind: {"metadata": {"op": operation, "urn": urn}, "planning": planning},
    }


def _message(text, severity="error"):
    return {"diagnosticEvent": {"message": f"{text}\n", "severity": severity}}


def test_an_update_is_counted():
    tally = Tally()
    tally.take(_step("resourcePreEvent", "create", INSTANCE, planning=True))
    tally.take(_step("resOutputsEvent", "create", INSTANCE, planning=True))
    assert (tally.done, tally.running, tally.previewed) == (0, {}, False)
    changes = {"same": 9, "create": 2, "delete": 1, "replace": 1, "read": 4}
    tally.take({"summaryEvent": {"isPreview": True, "resourceChanges": changes}})
    assert (tally.total, tally.previewed) == (4, True)

    tally.take(_step("resourcePreEvent", "create", INSTANCE, when=10))
    assert tally.running[INSTANCE].resource == "ec2.Instance etcd-0"
    done = tally.take(_step("resOutputsEvent", "create", INSTANCE, when=23))

    assert str(done) == "created ec2.Instance etcd-0 (13 s)"
    assert (tally.done, tally.running) == (1, {})
    tally.take({"summaryEvent": {"isPreview": False, "resourceChanges": {"create": 1}}})
    assert tally.total == 4


def test_a_failed_preview_plans_nothing():
    tally = Tally()
    tally.take({"summaryEvent": {"isPreview": True, "result": "failed", "resourceChanges": {}}})
    assert (tally.total, tally.previewed) == (None, False)


def test_a_replacement_counts_once():
    tally = Tally()
    for operation in ("delete-replaced", "replace", "create-replacement"):
        tally.take(_step("resourcePreEvent", operation, INSTANCE))
        tally.take(_step("resOutputsEvent", operation, INSTANCE))
    assert tally.done == 1


def test_what_stays_is_not_counted():
    tally = Tally()
    tally.take(_step("resourcePreEvent", "same", INSTANCE))
    assert tally.running == {}
    assert tally.take(_step("resOutputsEvent", "same", INSTANCE)) is None
    assert tally.done == 0


def test_a_failed_step_no_longer_runs_and_is_not_done():
    tally = Tally()
    tally.take(_step("resourcePreEvent", "create", INSTANCE))
    tally.take(_step("resOpFailedEvent", "create", INSTANCE))
    assert (tally.done, tally.running) == (0, {})


def test_errors_and_notes_are_kept_once_and_the_rest_is_not():
    tally = Tally()
    for event in (
        _message("etcd.size must be odd"),
        _message("etcd.size must be odd"),
        _message("update failed"),
        _message("quorum 2 of 3", "info"),
        _message("beginning rpc", "debug"),
        _message("a plugin is ambient", "warning"),
    ):
        tally.take(event)
    assert tally.errors == ["etcd.size must be odd"]
    assert tally.notes == ["quorum 2 of 3"]


def test_the_engines_last_word_is_kept_when_it_is_the_only_one():
    tally = Tally()
    tally.take(_message("update failed"))
    assert tally.errors == ["update failed"]


@pytest.mark.parametrize(
    ("urn", "resource"),
    [
        (f"{STACK}pulumi:pulumi:Stack::ha-kubernetes-local", "pulumi.Stack ha-kubernetes-local"),
        (f"{STACK}hak8s:index:Network::local", "hak8s.Network local"),
        (f"{STACK}aws:s3/bucket:Bucket::a::b", "s3.Bucket a::b"),
        (f"{STACK}pulumi:providers:aws::default", "providers.aws default"),
    ],
)
def test_a_resource_is_named_for_people(urn, resource):
    assert Operation("create", urn, 0).resource == resource
