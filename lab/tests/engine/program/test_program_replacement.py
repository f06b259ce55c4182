"""The whole program on the real engine: replacement one at a time, protection, destroy."""

import itertools

import pytest

from lab.tests.engine.program.steps import done, find
from lab.tests.engine.program.story import Chapter, Story, kept

MEMBERS = [f"local-etcd-{number}" for number in range(3)]
SERVERS = ["local-api-0", "local-api-1"]
REPLACEABLE = {
    "aws:ec2/instance:Instance",
    "aws:ec2/volumeAttachment:VolumeAttachment",
    "aws:lb/targetGroupAttachment:TargetGroupAttachment",
}


def test_a_change_of_user_data_replaces_machines_and_nothing_else(replaced: Story) -> None:
    steps = done(replaced["replaced"].steps)
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
    assert others == {("update", "aws:cloudwatch/metricAlarm:MetricAlarm")}


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(MEMBERS)))
def test_a_member_is_back_with_its_disk_before_the_next_one_goes(
    replaced: Story, earlier: str, later: str
) -> None:
    steps = replaced["replaced"].steps
    back = find(steps, "create-replacement", "VolumeAttachment", f"{earlier}-data")
    assert back.end < find(steps, "delete-replaced", "VolumeAttachment", f"{later}-data").began
    assert back.end < find(steps, "delete-replaced", "Instance", later).began


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_is_deleted_before_its_successor_is_created(replaced: Story, member: str) -> None:
    steps = replaced["replaced"].steps
    order = [
        find(steps, "delete-replaced", "VolumeAttachment", f"{member}-data"),
        find(steps, "delete-replaced", "Instance", member),
        find(steps, "create-replacement", "Instance", member),
        find(steps, "create-replacement", "VolumeAttachment", f"{member}-data"),
    ]
    for first, second in itertools.pairwise(order):
        assert first.end < second.began


def test_at_no_moment_more_than_one_member_is_away(replaced: Story) -> None:
    samples = replaced["replaced"].samples
    away = [set(MEMBERS) - sample.members() for sample in samples]
    assert all(len(missing) <= 1 for missing in away)
    assert {name for missing in away for name in missing} == set(MEMBERS), (
        "the account was looked at while each of them was away"
    )


def test_members_keep_disk_and_address(replaced: Story) -> None:
    before, after = replaced["up"].world, replaced["replaced"].world
    assert before.volumes == after.volumes
    for name in MEMBERS:
        old, new = before.machines[name], after.machines[name]
        assert (old.address, old.volumes) == (new.address, new.volumes)
        assert old.id != new.id


@pytest.mark.parametrize("server", SERVERS)
def test_an_api_server_is_registered_before_the_old_one_goes(replaced: Story, server: str) -> None:
    steps = replaced["replaced"].steps
    order = [
        find(steps, "create-replacement", "Instance", server),
        find(steps, "create-replacement", "TargetGroupAttachment", server),
        find(steps, "delete-replaced", "TargetGroupAttachment", server),
        find(steps, "delete-replaced", "Instance", server),
    ]
    for first, second in itertools.pairwise(order):
        assert first.end < second.began


def test_api_servers_are_replaced_one_after_the_other(replaced: Story) -> None:
    steps = replaced["replaced"].steps
    first = find(steps, "create-replacement", "TargetGroupAttachment", SERVERS[0])
    assert first.end < find(steps, "create-replacement", "Instance", SERVERS[1]).began


def test_at_no_moment_fewer_api_servers_are_registered(replaced: Story) -> None:
    told = replaced["replaced"]
    assert min(len(sample.servers()) for sample in told.samples) == len(SERVERS)
    assert len(told.world.targets) == len(SERVERS)
    assert told.world.targets.isdisjoint(replaced["up"].world.targets)


def test_protection_is_switched_without_touching_a_machine(replaced: Story) -> None:
    for chapter in ("protected", "unprotected"):
        steps = done(replaced[chapter].steps)
        assert {(op, type_) for op, type_, _ in steps} == {
            ("update", "aws:lb/loadBalancer:LoadBalancer"),
            ("update", "aws:s3/bucket:Bucket"),
            # The record, so that the next run knows.
            ("update", "aws:ssm/parameter:Parameter"),
        }


def test_a_protected_stack_is_not_destroyed(replaced: Story) -> None:
    refused = replaced["refused"]
    assert refused.status != 0
    assert "Hooks: gate-etcd-member" in refused.text, "the engine names what holds it back"
    assert "Traceback" not in refused.text
    assert refused.steps == ()
    assert refused.world == replaced["protected"].world
    assert kept(refused) == kept(replaced["protected"])


def hooks(told: Chapter) -> set[str]:
    """Every hook that a resource in the state is bound to."""
    return {
        hook
        for resource in told.state
        for bound in resource.get("resourceHooks", {}).values()
        for hook in bound or ()
    }


def test_an_unprotected_stack_has_no_gate(replaced: Story) -> None:
    for told in ("up", "replaced", "unprotected", "destroyed"):
        assert "gate: " not in replaced[told].text
        assert not any("gate-" in hook for hook in hooks(replaced[told]))
    assert {hook for hook in hooks(replaced["protected"]) if "gate-" in hook} == {
        "gate-etcd-member",
        "gate-etcd-disk",
        "gate-etcd-new-disk",
        "gate-api-target",
        "gate-api-server",
    }


def test_a_destroyed_stack_leaves_nothing(replaced: Story) -> None:
    destroyed = replaced["destroyed"]
    assert dict(destroyed.world.inventory) == {}
    assert destroyed.state == []
