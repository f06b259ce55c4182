"""Wait loop of the gates: check again and again until one opens, and log what it waits for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from components.gates.aws_reader import AwsAccessDeniedError, AwsUnavailableError
from components.gates.verdict import GateRefusedError, Pass, Refuse, Verdict, Wait
from config.types import format_duration

POLL_SECONDS = 2.0
REPEAT_SECONDS = 30.0
"""How long the same wait may go unmentioned."""
RUNBOOK = "docs/runbooks/refuse-and-resume.md"


@dataclass(frozen=True, kw_only=True)
class WaitPolicy:
    """How a gate waits."""

    timeout: timedelta
    log: Callable[[str], None]
    """Shows a line in the output of `pulumi up`."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def pass_gate(node: str, check: Callable[[], Awaitable[Verdict]], policy: WaitPolicy) -> None:
    """Return once the gate lets `node` go, without a word when it need not wait.

    AWS not answering is one more thing to wait for. Raises GateRefusedError when the gate refuses,
    when a permission is missing, and when the time is up.
    """
    began = policy.clock()
    said, said_at = "", began
    while True:
        verdict = await _check(check)
        now = policy.clock()
        if isinstance(verdict, Pass):
            if said:
                policy.log(f"gate: {node} goes: {verdict.why}")
            return
        if isinstance(verdict, Refuse):
            raise GateRefusedError(f"gate: {node} stays: {verdict.reason} ({RUNBOOK})")
        reasons = str(verdict)
        if reasons != said or now - said_at >= REPEAT_SECONDS:
            policy.log(f"gate: {node} waits: {reasons}")
            said, said_at = reasons, now
        left = policy.timeout.total_seconds() - (now - began)
        if left <= 0:
            raise GateRefusedError(_too_late(node, reasons, policy.timeout))
        await policy.sleep(min(POLL_SECONDS, left))


async def _check(check: Callable[[], Awaitable[Verdict]]) -> Verdict:
    try:
        return await check()
    except AwsUnavailableError as error:
        return Wait((str(error),))
    except AwsAccessDeniedError as error:
        return Refuse(str(error))


def _too_late(node: str, reasons: str, timeout: timedelta) -> str:
    return (
        f"gate: {node} stays: after {format_duration(timeout)} (gateTimeout) still: {reasons}. "
        "Nothing of it was deleted, and nothing is lost. Mend that, then run pulumi up again: it "
        f"goes on from here ({RUNBOOK})"
    )
