"""Looks again and again until a gate opens, and says what it waits for."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from components.gates.aws import AwsDeniedError, AwsSilentError
from components.gates.verdict import GateRefusedError, Pass, Refuse, Verdict, Wait
from config.types import format_duration

POLL_SECONDS = 2.0
REPEAT_SECONDS = 30.0
"""How long the same wait may go unmentioned."""
RUNBOOK = "docs/runbooks/refuse-and-resume.md"


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How a gate waits."""

    timeout: timedelta
    say: Callable[[str], None]
    """Shows a line in the output of `pulumi up`."""
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


async def pass_gate(
    subject: str, look: Callable[[], Awaitable[Verdict]], patience: Patience
) -> None:
    """Return once the gate lets `subject` go, without a word when it need not wait.

    AWS not answering is one more thing to wait for. Raises GateRefusedError when the gate refuses,
    when a permission is missing, and when the time is up.
    """
    began = patience.clock()
    said, said_at = "", began
    while True:
        verdict = await _look(look)
        now = patience.clock()
        if isinstance(verdict, Pass):
            if said:
                patience.say(f"gate: {subject} goes: {verdict.why}")
            return
        if isinstance(verdict, Refuse):
            raise GateRefusedError(f"gate: {subject} stays: {verdict.reason} ({RUNBOOK})")
        reasons = str(verdict)
        if reasons != said or now - said_at >= REPEAT_SECONDS:
            patience.say(f"gate: {subject} waits: {reasons}")
            said, said_at = reasons, now
        left = patience.timeout.total_seconds() - (now - began)
        if left <= 0:
            raise GateRefusedError(_too_late(subject, reasons, patience.timeout))
        await patience.sleep(min(POLL_SECONDS, left))


async def _look(look: Callable[[], Awaitable[Verdict]]) -> Verdict:
    try:
        return await look()
    except AwsSilentError as error:
        return Wait((str(error),))
    except AwsDeniedError as error:
        return Refuse(str(error))


def _too_late(subject: str, reasons: str, timeout: timedelta) -> str:
    return (
        f"gate: {subject} stays: after {format_duration(timeout)} (gateTimeout) still: {reasons}. "
        "Nothing of it was deleted, and nothing is lost. Mend that, then run pulumi up again: it "
        f"goes on from here ({RUNBOOK})"
    )
