"""The whole program on the real engine: what a living, protected cluster would not survive is
refused."""

from lab.tests.engine.program.outcome import Outcome
from lab.tests.engine.program.scenario_run import ScenarioRun
from lab.tests.engine.program.test_program_gates import refusal
from lab.tests.engine.throwaway import CommandResult
from lab.tests.engine.update_steps import completed

RUNBOOK = "see docs/runbooks/destroy.md for how to mean it"


def check_refused(preview: CommandResult, *says: str) -> None:
    assert preview.status != 0
    assert "Traceback" not in preview.text
    for words in says:
        assert words in preview.text


def check_untouched(before: Outcome, after: Outcome) -> None:
    assert after.account.machines == before.account.machines
    assert after.account.volumes == before.account.volumes
    assert after.account.targets == before.account.targets


def test_a_preview_refuses_another_base_with_every_reason(replaced: ScenarioRun) -> None:
    check_refused(
        replaced["preview of another base"],
        "network.cidr: must stay 10.0.0.0/16",
        "network.serviceCidr: must stay",
        "network.zones: must keep eu-central-1c",
        "api.internal: must stay true",
        "etcd.dataVolume.sizeGib: must be at least 20",
    )


def test_a_preview_refuses_another_name(replaced: ScenarioRun) -> None:
    check_refused(replaced["preview of another name"], "clusterName is now 'other'")


def test_a_preview_refuses_certificates_dated_by_a_wrong_clock(replaced: ScenarioRun) -> None:
    check_refused(
        replaced["preview with a wrong clock"],
        "pki: this machine's clock is 60 minutes ahead of AWS's",
        "pki-issuance",
    )


def test_a_preview_refuses_to_give_a_member_another_disk(replaced: ScenarioRun) -> None:
    disk = replaced["protected"].account.volumes["local-etcd-1-data"]
    assert (
        f"gate: local-etcd-1 stays: it has its disk, {disk}, and this would replace it by an empty "
        "one"
    ) in refusal(replaced["preview of another disk"])


def test_a_protected_stack_is_not_destroyed(replaced: ScenarioRun) -> None:
    before, refused = replaced["protected"], replaced["destroy"]
    assert refused.status != 0
    assert "Hooks: gate-etcd-member" in refused.text, "the engine names what holds it back"
    assert "Traceback" not in refused.text
    assert refused.steps == ()
    assert refused.account == before.account, "nor did any preview change it"
    assert refused.comparable_state == before.comparable_state


def test_a_protected_stack_is_not_destroyed_with_its_program_either(replaced: ScenarioRun) -> None:
    before, refused = replaced["destroy"], replaced["destroy with preview"]
    assert refusal(refused).endswith(RUNBOOK)
    assert refused.account == before.account
    assert refused.comparable_state == before.comparable_state


def test_without_the_preview_the_gates_refuse_at_once(replaced: ScenarioRun) -> None:
    before, refused = replaced["destroy with preview"], replaced["destroy without preview"]
    assert refusal(refused).endswith(
        f"stays: this stack is protected, and this would destroy it: {RUNBOOK}"
    )
    assert " waits: " not in refused.text
    check_untouched(before, refused)
    # An alarm is nobody's prerequisite, so it goes first.
    deleted = {type_ for op, type_, _ in completed(refused.steps) if op == "delete"}
    assert deleted <= {"aws:cloudwatch/metricAlarm:MetricAlarm"}


def test_an_unprotected_cluster_gets_its_other_balancer_after_the_old_one_is_gone(
    permitted: ScenarioRun,
) -> None:
    changed = permitted["changed"]
    assert "api.internal: changes from false to true" in changed.text
    steps = {(step.op, step.type.rpartition(":")[2]): step for step in changed.steps}
    gone = steps["delete-replaced", "LoadBalancer"].end
    assert steps["delete-replaced", "Listener"].end < gone
    assert gone < steps["create-replacement", "LoadBalancer"].began
    assert ("create-replacement", "TargetGroup") not in steps
    instances = {
        step.name
        for step in changed.steps
        if (step.op, step.type) == ("create-replacement", "aws:ec2/instance:Instance")
    }
    assert instances == {"local-etcd-0"}, "its type changes; no API server is replaced"
    (balancer,) = permitted["balancers"]
    assert balancer["Scheme"] == "internal"
    (group,) = permitted["target groups"]
    assert group["LoadBalancerArns"] == [balancer["LoadBalancerArn"]]
    assert len(changed.account.targets) == 2
