"""An update that is killed by SIGKILL goes on after the runbook's commands, whatever it was
creating: nothing is created twice, nothing is left over, nothing differs afterwards."""

import pytest

from lab.tests.engine.program.outcome import Outcome
from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.program.scenarios import SMALLEST, SOME_TYPES, Kill
from lab.tests.engine.program.test_program_size import account_counts, state_counts
from recovery.lookups import ANEW, REPEATABLE
from tests.recording import Deploy

pytestmark = pytest.mark.matrix


def _kind(urn: str) -> str:
    return urn.split("::")[-2].rpartition("$")[2]


def _line(kill: Kill, urn: str) -> str:
    """What the recovery said of a resource."""
    name = f".{_kind(urn).rpartition(':')[2]} {urn.rpartition('::')[2]}: "
    (line,) = (line for line in kill.recovered.text.splitlines() if name in line)
    return line.partition(name)[2]


def _check_kills(kills: list[Kill], types: set[str]) -> None:
    assert {_kind(urn) for kill in kills for urn in kill.exists} == types
    for kill in kills:
        assert kill.killed.status == -9
        for urn in kill.exists:
            if _kind(urn) in REPEATABLE:
                assert _line(kill, urn) == "will be created again, which does no harm"
            elif _kind(urn) in ANEW:
                assert _line(kill, urn).endswith(" is left over, and `pulumi up` deletes it")
            else:
                assert _line(kill, urn).endswith(" exists, and is recorded")
        for urn in kill.absent - kill.exists:
            if _kind(urn) not in REPEATABLE:
                assert _line(kill, urn) == "does not exist"


def _check_up(up: Outcome, deploy_stack: Deploy) -> None:
    program = deploy_stack(SMALLEST, stack="local")
    made = sorted(
        (resource["type"], resource["urn"].split("::", 3)[3])
        for resource in up.state
        if not resource["type"].startswith("pulumi:")
    )
    assert made == sorted((resource.type, resource.name) for resource in program.resources)
    assert account_counts(up.account) == state_counts(up.state)


def test_pulumis_own_command_forgets_the_resource_that_it_is_given(resumed: ScenarioRun) -> None:
    # The reason for the recovery's edit of the state: once this fails, Pulumi can do it itself.
    done, urn, state = resumed["forgotten"]
    assert done.status == 0, done.text
    assert urn not in {resource["urn"] for resource in state}


def test_every_creation_that_was_under_way_is_named(resumed: ScenarioRun) -> None:
    _check_kills(resumed["kills"], set(SOME_TYPES))


def test_the_next_up_completes_the_program_and_nothing_is_left_over(
    resumed: ScenarioRun, deploy_stack: Deploy
) -> None:
    _check_up(resumed["up"], deploy_stack)


def test_a_group_that_was_cut_off_lets_nothing_out(resumed: ScenarioRun) -> None:
    """What is there in the end is not what was cut off: that has the rule that EC2 gives it."""
    ids = {
        resource["urn"].rpartition("::")[2]: resource["id"]
        for resource in resumed["up"].state
        if resource["type"] in ANEW
    }
    cut_off = [
        (urn.rpartition("::")[2], kill.account.inventory["security group"])
        for kill in resumed["kills"]
        for urn in kill.exists
        if _kind(urn) in ANEW
    ]
    assert cut_off
    for name, groups in cut_off:
        assert ids[name] not in groups


def test_nothing_differs_after_kills_and_recoveries(resumed: ScenarioRun) -> None:
    assert resumed["refreshed"].status == 0, resumed["refreshed"].text


def test_a_member_whose_machine_was_being_replaced_is_kept(resumed: ScenarioRun) -> None:
    kill: Kill = resumed["replacement"]
    assert kill.recovered.status == 0, kill.recovered.text
    assert [urn.rpartition("::")[2] for urn in kill.exists] == ["local-etcd-0"]
    (orphan,) = (m.id for name, m in kill.account.machines.items() if name == "local-etcd-0")
    assert orphan != resumed["up"].account.machines["local-etcd-0"].id
    member = resumed["replaced"].account.machines["local-etcd-0"]
    assert member.id == orphan, "its user data was not lost, which would have replaced it again"
    assert member.volumes == resumed["up"].account.machines["local-etcd-0"].volumes


def test_a_server_whose_successor_was_being_created_has_one_successor(resumed: ScenarioRun) -> None:
    kill: Kill = resumed["succession"]
    (successor,) = kill.exists
    assert successor.endswith("::local-api-0")
    assert _line(kill, successor).endswith(" is left over, and `pulumi up` deletes it")
    assert len({name for name in kill.account.machines if name.startswith("local-api-0")}) == 2
    after = resumed["replaced"].account
    assert account_counts(after) == state_counts(resumed["replaced"].state)
    assert after.targets == {after.machines["local-api-0"].address}


def test_a_destroyed_stack_leaves_nothing_of_all_the_kills(resumed: ScenarioRun) -> None:
    assert resumed["destroyed"].account.inventory == {}


def test_every_type_of_the_program_can_be_killed(
    resumed_everywhere: ScenarioRun, deploy_stack: Deploy
) -> None:
    program = deploy_stack(SMALLEST, stack="local")
    types = {resource.type for resource in program.resources if resource.type.startswith("aws:")}
    assert len(types) >= 35
    _check_kills(resumed_everywhere["kills"], types)
    _check_up(resumed_everywhere["up"], deploy_stack)
    assert resumed_everywhere["refreshed"].status == 0, resumed_everywhere["refreshed"].text
    assert resumed_everywhere["destroyed"].account.inventory == {}
