"""The whole program on the real engine: a protected cluster gives up nothing that it cannot spare.

The nodes' part is played by the tests; that real nodes report what is played here is for the tests
of the node program.
"""

import itertools
import re

import pytest

from lab.tests.engine.program.steps import done, find
from lab.tests.engine.program.story import Chapter, Story, kept
from lab.tests.engine.program.world import World

MEMBERS = ["local-etcd-0", "local-etcd-1", "local-etcd-2"]
LEAVING = ["local-etcd-6", "local-etcd-5", "local-etcd-4", "local-etcd-3"]
REPORTED = re.compile(r"/local/(nodes/[a-z0-9-]+/status|etcd/formation)")
"""Parameters that nodes write."""


def lines(told: Chapter) -> list[str]:
    """What the gates said, in order, once each."""
    found = [line.strip() for line in told.text.splitlines()]
    return list(dict.fromkeys(line for line in found if line.startswith("gate: ")))


def refusal(told: Chapter) -> str:
    """The only error, without its time of day."""
    assert told.status != 0
    assert "Traceback" not in told.text
    (error,) = {line for line in told.command.errors if "gate: " in line}
    return error


def unreported(world: World) -> dict[str, tuple[int, str]]:
    return {name: at for name, at in world.parameters.items() if not REPORTED.fullmatch(name)}


def test_a_replacement_waits_for_every_other_member_and_then_refuses(guarded: Story) -> None:
    refused = guarded["refused"]
    assert refusal(refused) == (
        'before hook "gate-etcd-member" failed: gate: local-etcd-0 stays: after 45s (gateTimeout) '
        "still: etcd-2 has not reported since this update began. Nothing of it was deleted, and "
        "nothing is lost. Mend that, then run pulumi up again: it goes on from here "
        "(docs/runbooks/refuse-and-resume.md)"
    )
    assert lines(refused)[-1] == (
        "gate: local-etcd-0 waits: etcd-2 has not reported since this update began"
    )


def test_an_interrupt_ends_the_wait_of_a_gate(guarded: Story) -> None:
    # Its gate would have waited for an hour.
    interrupted = guarded["interrupted"]
    assert interrupted.status != 0
    assert "Traceback" not in interrupted.text


@pytest.mark.parametrize("told", ["interrupted", "refused"])
def test_a_refused_update_leaves_account_and_state_as_they_were(guarded: Story, told: str) -> None:
    before, after = guarded["up"], guarded[told]
    assert done(after.steps) == set()
    assert kept(after) == kept(before)
    assert after.world.inventory == before.world.inventory
    assert after.world.machines == before.world.machines
    assert after.world.user_data == before.world.user_data
    assert after.world.volumes == before.world.volumes
    assert after.world.targets == before.world.targets
    assert unreported(after.world) == unreported(before.world)


def test_the_next_update_resumes_and_goes_on_when_the_others_are_well(guarded: Story) -> None:
    said = lines(guarded["resumed"])
    assert "gate: local-etcd-0 waits: etcd-1 is not healthy" in said
    assert [line for line in said if " goes: " in line] == [
        f"gate: {name} goes: the other members are healthy" for name in MEMBERS
    ], "each member waits once, and not again for its machine"


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(MEMBERS)))
def test_the_next_member_goes_only_after_the_one_before_it_reports(
    guarded: Story, earlier: str, later: str
) -> None:
    told = guarded["resumed"]
    back = find(told.steps, "create-replacement", "VolumeAttachment", f"{earlier}-data")
    assert back.end < find(told.steps, "delete-replaced", "VolumeAttachment", f"{later}-data").began
    name = earlier.removeprefix("local-")
    assert any(
        line.startswith(f"gate: {later} waits: ") and f"{name} has not reported" in line
        for line in lines(told)
    )


def test_members_keep_their_disks(guarded: Story) -> None:
    before, after = guarded["refused"].world, guarded["resumed"].world
    assert after.volumes == before.volumes
    for name in MEMBERS:
        assert after.machines[name].volumes == before.machines[name].volumes
        assert after.machines[name].id != before.machines[name].id


def test_growing_asks_no_gate(guarded: Story) -> None:
    grown = guarded["grown"]
    assert lines(grown) == []
    assert {op for op, _, _ in done(grown.steps)} == {"create", "update"}
    assert set(grown.world.volumes) == {f"local-etcd-{number}-data" for number in range(7)}


def test_a_member_that_does_not_leave_is_not_deleted(guarded: Story) -> None:
    stuck = guarded["stuck"]
    assert (
        "gate: local-etcd-6 stays: after 45s (gateTimeout) still: etcd-6 has not left the cluster "
        "yet (it reports member). Nothing of it was deleted"
    ) in refusal(stuck)
    before, after = guarded["grown"].world, stuck.world
    assert after.machines == before.machines
    assert after.volumes == before.volumes
    # An alarm is nobody's prerequisite, so it goes first.
    deleted = {type_ for op, type_, _ in done(stuck.steps) if op == "delete"}
    assert deleted <= {"aws:cloudwatch/metricAlarm:MetricAlarm"}


@pytest.mark.parametrize("name", LEAVING)
def test_a_member_is_deleted_part_by_part_and_its_report_last(guarded: Story, name: str) -> None:
    steps = guarded["shrunk"].steps
    order = [
        find(steps, "delete", "VolumeAttachment", f"{name}-data"),
        find(steps, "delete", "Instance", name),
        find(steps, "delete", "Volume", f"{name}-data"),
        find(steps, "delete", "Parameter", f"{name}-status"),
    ]
    for first, second in itertools.pairwise(order):
        assert first.end < second.began


@pytest.mark.parametrize(("first", "second"), list(itertools.pairwise(LEAVING)))
def test_seven_to_three_in_one_update_goes_one_by_one(
    guarded: Story, first: str, second: str
) -> None:
    steps = guarded["shrunk"].steps
    gone = find(steps, "delete", "Instance", first)
    assert gone.end < find(steps, "delete", "VolumeAttachment", f"{second}-data").began


def test_each_leaving_member_was_asked_once(guarded: Story) -> None:
    said = [line for line in lines(guarded["shrunk"]) if " goes: " in line]
    assert [line.split()[1] for line in said] == LEAVING
    assert all(
        line.endswith(("it has left the cluster", "the leader does not list it any more"))
        for line in said
    )


def test_after_three_to_seven_to_three_nothing_is_left_of_the_others(guarded: Story) -> None:
    before, after = guarded["resumed"].world, guarded["shrunk"].world
    assert after.inventory == before.inventory
    assert after.machines == before.machines
    assert after.volumes == before.volumes
    assert after.user_data == before.user_data
    assert set(after.parameters) == set(before.parameters)
    assert guarded["played"].voters == ["etcd-0", "etcd-1", "etcd-2"]


def test_at_no_moment_fewer_members_than_quorum_were_up(guarded: Story) -> None:
    assert guarded["played"].least >= 0


def test_an_api_server_goes_when_others_are_healthy_and_it_is_drained(balanced: Story) -> None:
    said = lines(balanced["replaced"])
    drained = next(line for line in said if " is not drained yet (draining)" in line)
    server = drained.split()[1]
    unhealthy = f"gate: {server} waits: 0 of the other API servers are healthy, 1 must be ("
    of_it = [line for line in said if line.startswith(f"gate: {server} ")]
    assert of_it[0].startswith(unhealthy)
    assert [line.split()[2] for line in of_it[of_it.index(drained) - 1 :]] == [
        "goes:",
        "waits:",
        "goes:",
    ], "its target, then its machine, once the target was drained"


@pytest.mark.parametrize("server", ["local-api-0", "local-api-1"])
def test_a_target_goes_before_its_machine(balanced: Story, server: str) -> None:
    steps = balanced["replaced"].steps
    target = find(steps, "delete-replaced", "TargetGroupAttachment", server)
    assert target.end < find(steps, "delete-replaced", "Instance", server).began


def test_the_balancer_gives_up_a_target_only_after_its_wait(balanced: Story) -> None:
    told = balanced["replaced"]
    registered = len(balanced["up"].world.targets)
    # Not one was taken away before its successors were there.
    assert min(len(sample.targets) for sample in told.samples) >= registered
    assert len(told.world.targets) == registered
    assert told.world.targets.isdisjoint(balanced["up"].world.targets)


def test_a_preview_refuses_to_give_a_member_another_disk(balanced: Story) -> None:
    previewed, volumes = balanced["another disk"], balanced["replaced"].world.volumes
    assert (
        f"gate: local-etcd-1 stays: it has its disk, {volumes['local-etcd-1-data']}, and this "
        "would replace it by an empty one"
    ) in refusal(previewed)
    assert previewed.world.volumes == volumes


def test_a_protected_stack_is_not_destroyed_with_its_program_either(balanced: Story) -> None:
    before, refused = balanced["replaced"], balanced["with preview"]
    assert refused.status != 0
    assert refusal(refused).endswith("see docs/runbooks/destroy.md for how to mean it")
    assert kept(refused) == kept(before)
    assert refused.world.inventory == before.world.inventory
    assert refused.world.machines == before.world.machines


def test_without_the_preview_the_gates_refuse_at_once(balanced: Story) -> None:
    before, refused = balanced["with preview"], balanced["without preview"]
    assert refusal(refused).endswith(
        "stays: this stack is protected, and this would destroy it: see docs/runbooks/destroy.md "
        "for how to mean it"
    )
    assert " waits: " not in refused.text
    assert refused.world.machines == before.world.machines
    assert refused.world.volumes == before.world.volumes
    assert refused.world.targets == before.world.targets
    deleted = {type_ for op, type_, _ in done(refused.steps) if op == "delete"}
    assert deleted <= {"aws:cloudwatch/metricAlarm:MetricAlarm"}
