"""The wait, on a clock of its own."""

import asyncio
from datetime import timedelta

import pytest

from components.gates.aws_reader import AwsAccessDeniedError, AwsUnavailableError
from components.gates.verdict import GateRefusedError, Pass, Refuse, Wait
from components.gates.waiting import POLL_SECONDS, REPEAT_SECONDS, WaitPolicy, pass_gate


class Gate:
    """Gives the answers that it was made with, the last one for ever; time passes in sleep only."""

    def __init__(self, *answers, timeout=900):
        self.answers, self.now, self.checks, self.said = list(answers), 100.0, 0, []
        self.timeout = timedelta(seconds=timeout)

    async def check(self):
        self.checks += 1
        answer = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(self, seconds):
        assert seconds > 0
        self.now += seconds

    def run(self):
        policy = WaitPolicy(
            timeout=self.timeout,
            log=lambda line: self.said.append((self.now - 100, line)),
            clock=lambda: self.now,
            sleep=self.sleep,
        )
        # asyncio.run would leave the thread without the event loop that Pulumi's mocks expect.
        loop = asyncio.new_event_loop()
        try:
            loop.run_until_complete(pass_gate("prod-etcd-1", self.check, policy))
        finally:
            loop.close()


def test_an_open_gate_is_passed_at_once_and_in_silence():
    gate = Gate(Pass("all is well"))
    gate.run()
    assert (gate.checks, gate.now) == (1, 100.0)
    assert gate.said == []


def test_a_refusal_does_not_wait():
    gate = Gate(Refuse("it holds data"))
    with pytest.raises(GateRefusedError) as error:
        gate.run()
    assert str(error.value) == (
        "gate: prod-etcd-1 stays: it holds data (docs/runbooks/refuse-and-resume.md)"
    )
    assert (gate.checks, gate.said) == (1, [])


def test_a_wait_is_told_when_it_changes_and_now_and_then():
    two, one = Wait(("etcd-0 is not healthy", "etcd-2 is silent")), Wait(("etcd-2 is silent",))
    gate = Gate(two, two, *[one] * 20, Pass("the others are healthy"))
    gate.run()
    first = 2 * POLL_SECONDS
    assert gate.said == [
        (0, "gate: prod-etcd-1 waits: etcd-0 is not healthy; etcd-2 is silent"),
        (first, "gate: prod-etcd-1 waits: etcd-2 is silent"),
        (first + REPEAT_SECONDS, "gate: prod-etcd-1 waits: etcd-2 is silent"),
        (22 * POLL_SECONDS, "gate: prod-etcd-1 goes: the others are healthy"),
    ]


def test_when_the_time_is_up_it_says_what_is_missing_what_is_left_and_what_to_do():
    gate = Gate(Wait(("etcd-0 is not healthy",)), timeout=61)
    with pytest.raises(GateRefusedError) as error:
        gate.run()
    assert str(error.value) == (
        "gate: prod-etcd-1 stays: after 61s (gateTimeout) still: etcd-0 is not healthy. Nothing of "
        "it was deleted, and nothing is lost. Mend that, then run pulumi up again: it goes on from "
        "here (docs/runbooks/refuse-and-resume.md)"
    )
    assert gate.now == 161.0, "the last check is at the very end"


def test_aws_being_down_is_one_more_thing_to_wait_for():
    down = AwsUnavailableError("AWS does not answer ssm:GetParameters (ThrottlingException)")
    gate = Gate(down, down, Pass("the others are healthy"))
    gate.run()
    assert [line for _, line in gate.said] == [
        "gate: prod-etcd-1 waits: AWS does not answer ssm:GetParameters (ThrottlingException)",
        "gate: prod-etcd-1 goes: the others are healthy",
    ]


def test_a_missing_permission_is_named_at_once():
    gate = Gate(AwsAccessDeniedError("AWS refuses ssm:GetParameters (AccessDeniedException)"))
    with pytest.raises(GateRefusedError, match=r"stays: AWS refuses ssm:GetParameters"):
        gate.run()
    assert gate.checks == 1


def test_a_fault_of_the_gate_itself_opens_nothing():
    with pytest.raises(ZeroDivisionError):
        Gate(ZeroDivisionError()).run()
