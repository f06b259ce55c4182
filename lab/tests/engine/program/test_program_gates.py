"""The whole program on the real engine: a protected cluster gives up nothing that it cannot spare.

The reports of nodes are written by the tests; that real nodes report the same is for the tests of
the node program.
"""

import itertools
import re

import pytest

from lab.tests.engine.program.account_snapshot import AccountSnapshot
from lab.tests.engine.program.outcome import Outcome
from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.throwaway import CommandResult
from lab.tests.engine.update_steps import completed, find_step

MEMBERS = ["local-etcd-0", "local-etcd-1", "local-etcd-2"]
LEAVING = ["local-etcd-6", "local-etcd-5", "local-etcd-4", "local-etcd-3"]
REPORTED = re.compile(r"/local/(nodes/[a-z0-9-]+/status|etcd/formation)")
"""Parameters that nodes write."""


def lines(result: Outcome) -> list[str]:
    """What the gates said, in order, once each."""
    found = [line.strip() for line in result.text.splitlines()]
    return list(dict.fromkeys(line for line in found if line.startswith("gate: ")))


def refusal(result: Outcome | CommandResult) -> str:
    """The only error, without its time of day."""
    assert result.status != 0
    assert "Traceback" not in result.text
    (error,) = {line for line in result.errors if "gate: " in line}
    return error


def unreported(account: AccountSnapshot) -> dict[str, tuple[int, str]]:
    return {name: at for name, at in account.parameters.items() if not REPORTED.fullmatch(name)}


def test_a_replacement_waits_for_every_other_member_and_then_refuses(guarded: ScenarioRun) -> None:
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


def test_an_interrupt_ends_the_wait_of_a_gate(guarded: ScenarioRun) -> None:
    # Its gate would have waited for an hour.
    interrupted = guarded["interrupted"]
    assert interrupted.status != 0
    assert "Traceback" not in interrupted.text


@pytest.mark.parametrize("update", ["interrupted", "refused"])
def test_a_refused_update_leaves_account_and_state_as_they_were(
    guarded: ScenarioRun, update: str
) -> None:
    before, after = guarded["up"], guarded[update]
    assert completed(after.steps) == set()
    assert after.comparable_state == before.comparable_state
    assert after.account.inventory == before.account.inventory
    assert after.account.machines == before.account.machines
    assert after.account.user_data == before.account.user_data
    assert after.account.volumes == before.account.volumes
    assert after.account.targets == before.account.targets
    assert unreported(after.account) == unreported(before.account)


def test_the_next_update_resumes_and_goes_on_when_the_others_are_well(guarded: ScenarioRun) -> None:
    said = lines(guarded["resumed"])
    assert "gate: local-etcd-0 waits: etcd-1 is not healthy" in said
    assert [line for line in said if "-etcd-" in line and " goes: " in line] == [
        f"gate: {name} goes: the other members are healthy" for name in MEMBERS
    ], "each member waits once, and not again for its machine"


@pytest.mark.parametrize(("earlier", "later"), list(itertools.pairwise(MEMBERS)))
def test_the_next_member_goes_only_after_the_one_before_it_reports(
    guarded: ScenarioRun, earlier: str, later: str
) -> None:
    resumed = guarded["resumed"]
    back = find_step(resumed.steps, "create-replacement", "VolumeAttachment", f"{earlier}-data")
    assert (
        back.end
        < find_step(resumed.steps, "delete-replaced", "VolumeAttachment", f"{later}-data").began
    )
    name = earlier.removeprefix("local-")
    assert any(
        line.startswith(f"gate: {later} waits: ") and f"{name} has not reported" in line
        for line in lines(resumed)
    )


def test_members_keep_their_disks(guarded: ScenarioRun) -> None:
    before, after = guarded["refused"].account, guarded["resumed"].account
    assert after.volumes == before.volumes
    for name in MEMBERS:
        assert after.machines[name].volumes == before.machines[name].volumes
        assert after.machines[name].id != before.machines[name].id


def test_growing_asks_no_gate(guarded: ScenarioRun) -> None:
    grown = guarded["grown"]
    assert lines(grown) == []
    assert {op for op, _, _ in completed(grown.steps)} == {"create", "update"}
    assert set(grown.account.volumes) == {f"local-etcd-{number}-data" for number in range(7)}


def test_a_member_that_does_not_leave_is_not_deleted(guarded: ScenarioRun) -> None:
    stuck = guarded["stuck"]
    assert (
        "gate: local-etcd-6 stays: after 45s (gateTimeout) still: etcd-6 has not left the cluster "
        "yet (it reports member). Nothing of it was deleted"
    ) in refusal(stuck)
    before, after = guarded["grown"].account, stuck.account
    assert after.machines == before.machines
    assert after.volumes == before.volumes
    # An alarm is nobody's prerequisite, so it goes first.
    deleted = {type_ for op, type_, _ in completed(stuck.steps) if op == "delete"}
    assert deleted <= {"aws:cloudwatch/metricAlarm:MetricAlarm"}


@pytest.mark.parametrize("name", LEAVING)
def test_a_member_is_deleted_part_by_part_and_its_report_last(
    guarded: ScenarioRun, name: str
) -> None:
    steps = guarded["shrunk"].steps
    order = [
        find_step(steps, "delete", "VolumeAttachment", f"{name}-data"),
        find_step(steps, "delete", "Instance", name),
        find_step(steps, "delete", "Volume", f"{name}-data"),
        find_step(steps, "delete", "Parameter", f"{name}-status"),
    ]
    for first, second in itertools.pairwise(order):
        assert first.end < second.began


@pytest.mark.parametrize(("first", "second"), list(itertools.pairwise(LEAVING)))
def test_seven_to_three_in_one_update_goes_one_by_one(
    guarded: ScenarioRun, first: str, second: str
) -> None:
    steps = guarded["shrunk"].steps
    gone = find_step(steps, "delete", "Instance", first)
    assert gone.end < find_step(steps, "delete", "VolumeAttachment", f"{second}-data").began


def test_each_leaving_member_was_asked_once(guarded: ScenarioRun) -> None:
    said = [line for line in lines(guarded["shrunk"]) if " goes: " in line]
    assert [line.split()[1] for line in said] == LEAVING
    assert all(
        line.endswith(("it has left the cluster", "the leader does not list it any more"))
        for line in said
    )


def test_after_three_to_seven_to_three_nothing_is_left_of_the_others(guarded: ScenarioRun) -> None:
    before, after = guarded["resumed"].account, guarded["shrunk"].account
    assert after.inventory == before.inventory
    assert after.machines == before.machines
    assert after.volumes == before.volumes
    assert after.user_data == before.user_data
    assert set(after.parameters) == set(before.parameters)
    assert guarded["reports"].voters == ["etcd-0", "etcd-1", "etcd-2"]


def test_at_no_moment_fewer_members_than_quorum_were_up(guarded: ScenarioRun) -> None:
    assert guarded["reports"].least_spare >= 0


def test_an_api_server_goes_when_others_are_healthy_and_it_is_drained(guarded: ScenarioRun) -> None:
    said = lines(guarded["resumed"])
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
def test_a_target_goes_before_its_machine(guarded: ScenarioRun, server: str) -> None:
    steps = guarded["resumed"].steps
    target = find_step(steps, "delete-replaced", "TargetGroupAttachment", server)
    assert target.end < find_step(steps, "delete-replaced", "Instance", server).began


def test_the_balancer_gives_up_a_target_only_after_its_wait(guarded: ScenarioRun) -> None:
    resumed = guarded["resumed"]
    registered = len(guarded["up"].account.targets)
    # Not one was taken away before its successors were there.
    assert min(len(sample.targets) for sample in resumed.samples) >= registered
    assert len(resumed.account.targets) == registered
    assert resumed.account.targets.isdisjoint(guarded["up"].account.targets)
