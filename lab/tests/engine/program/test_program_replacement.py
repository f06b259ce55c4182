"""The whole program on the real engine: replacement one at a time, protection, destroy."""

import itertools

import pytest

from lab.tests.engine.program.outcome import Outcome
from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.update_steps import completed, find_step

MEMBERS = [f"local-etcd-{number}" for number in range(3)]
SERVERS = ["local-api-0", "local-api-1"]
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"
REPLACEABLE = {
    "aws:ec2/instance:Instance",
    "aws:ec2/volumeAttachment:VolumeAttachment",
    "aws:lb/targetGroupAttachment:TargetGroupAttachment",
}


def test_a_change_of_user_data_replaces_machines_and_nothing_else(replaced: ScenarioRun) -> None:
    steps = completed(replaced["replaced"].steps)
    made = {(type_, name) for op, type_, name in steps if op == "create-replacement"}
    instance, attachment, target = (
        "aws:ec2/instance:Instance",
        "aws:ec2/volumeAttachment:VolumeAttachment",
        "aws:lb/targetGroupAttachment:TargetGroupAttachment",
    )
    assert made == {
        *((instance, name) for name in [*MEMBERS, *SERVERS]),
        *((attachment, f"{name}-data") for name in MEMBERS),
        *((target, name) for name in SERVERS),
    }
    others = {(op, type_) for op, type_, _ in steps if type_ not in REPLACEABLE}
    # An alarm watches an instance by its id.
    assert others == {("update", ALARM)}


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(MEMBERS)))
def test_a_member_is_back_with_its_disk_before_the_next_one_goes(
    replaced: ScenarioRun, earlier: str, later: str
) -> None:
    steps = replaced["replaced"].steps
    back = find_step(steps, "create-replacement", "VolumeAttachment", f"{earlier}-data")
    assert back.end < find_step(steps, "delete-replaced", "VolumeAttachment", f"{later}-data").began
    assert back.end < find_step(steps, "delete-replaced", "Instance", later).began


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_is_deleted_before_its_successor_is_created(
    replaced: ScenarioRun, member: str
) -> None:
    steps = replaced["replaced"].steps
    order = [
        find_step(steps, "delete-replaced", "VolumeAttachment", f"{member}-data"),
        find_step(steps, "delete-replaced", "Instance", member),
        find_step(steps, "create-replacement", "Instance", member),
        find_step(steps, "create-replacement", "VolumeAttachment", f"{member}-data"),
    ]
    for first, second in itertools.pairwise(order):
        assert first.end < second.began


def test_at_no_moment_more_than_one_member_is_away(replaced: ScenarioRun) -> None:
    samples = replaced["replaced"].samples
    away = [set(MEMBERS) - sample.members() for sample in samples]
    assert all(len(missing) <= 1 for missing in away)
    assert {name for missing in away for name in missing} == set(MEMBERS), (
        "the account was looked at while each of them was away"
    )


def test_members_keep_disk_and_address(replaced: ScenarioRun) -> None:
    before, after = replaced["up"].account, replaced["replaced"].account
    assert before.volumes == after.volumes
    for name in MEMBERS:
        old, new = before.machines[name], after.machines[name]
        assert (old.address, old.volumes) == (new.address, new.volumes)
        assert old.id != new.id


@pytest.mark.parametrize("server", SERVERS)
def test_an_api_server_is_registered_before_the_old_one_goes(
    replaced: ScenarioRun, server: str
) -> None:
    steps = replaced["replaced"].steps
    order = [
        find_step(steps, "create-replacement", "Instance", server),
        find_step(steps, "create-replacement", "TargetGroupAttachment", server),
        find_step(steps, "delete-replaced", "TargetGroupAttachment", server),
        find_step(steps, "delete-replaced", "Instance", server),
    ]
    for first, second in itertools.pairwise(order):
        assert first.end < second.began


def test_api_servers_are_replaced_one_after_the_other(replaced: ScenarioRun) -> None:
    steps = replaced["replaced"].steps
    first = find_step(steps, "create-replacement", "TargetGroupAttachment", SERVERS[0])
    assert first.end < find_step(steps, "create-replacement", "Instance", SERVERS[1]).began


def test_at_no_moment_fewer_api_servers_are_registered(replaced: ScenarioRun) -> None:
    result = replaced["replaced"]
    assert min(len(sample.servers()) for sample in result.samples) == len(SERVERS)
    assert len(result.account.targets) == len(SERVERS)
    assert result.account.targets.isdisjoint(replaced["up"].account.targets)


@pytest.mark.parametrize("update", ["protected", "unprotected"])
def test_protection_is_switched_without_touching_a_machine(
    replaced: ScenarioRun, update: str
) -> None:
    steps = completed(replaced[update].steps)
    # The refused destroy before it may have deleted alarms.
    recreated = {("create", ALARM)} if update == "unprotected" else set()
    assert {(op, type_) for op, type_, _ in steps} - recreated == {
        ("update", "aws:lb/loadBalancer:LoadBalancer"),
        ("update", "aws:s3/bucket:Bucket"),
        # The record, so that the next run knows.
        ("update", "aws:ssm/parameter:Parameter"),
    }


def hooks(result: Outcome) -> set[str]:
    """Every hook that a resource in the state is bound to."""
    return {
        hook
        for resource in result.state
        for bound in resource.get("resourceHooks", {}).values()
        for hook in bound or ()
    }


def test_an_unprotected_stack_has_no_gate(replaced: ScenarioRun) -> None:
    for name in ("up", "replaced", "unprotected", "destroyed"):
        assert "gate: " not in replaced[name].text
        assert not any("gate-" in hook for hook in hooks(replaced[name]))
    assert {hook for hook in hooks(replaced["protected"]) if "gate-" in hook} == {
        "gate-etcd-member",
        "gate-etcd-disk",
        "gate-etcd-new-disk",
        "gate-api-target",
        "gate-api-server",
    }


def test_a_destroyed_stack_leaves_nothing(replaced: ScenarioRun) -> None:
    destroyed = replaced["destroyed"]
    assert dict(destroyed.account.inventory) == {}
    assert destroyed.state == []
