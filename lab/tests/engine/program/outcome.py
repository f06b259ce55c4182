"""Outcome of a command: what it printed and did, and the account and the state after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lab.tests.engine.program.account_snapshot import AccountSnapshot, Sample, take_snapshot
from lab.tests.engine.program.workbench import Workbench
from lab.tests.engine.throwaway import CommandResult
from lab.tests.engine.update_steps import Step


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A command, and what was there after it."""

    command: CommandResult
    account: AccountSnapshot
    state: list[dict[str, Any]]
    """The stack's resources."""
    samples: Sequence[Sample] = ()

    @property
    def status(self) -> int:
        return self.command.status

    @property
    def text(self) -> str:
        return self.command.text

    @property
    def errors(self) -> list[str]:
        return self.command.errors

    @property
    def steps(self) -> tuple[Step, ...]:
        return self.command.steps

    @property
    def comparable_state(self) -> list[dict[str, Any]]:
        """The state's resources without what every update encrypts again."""
        keys = ("urn", "id", "protect", "delete", "pendingReplacement", "resourceHooks", "created")
        return sorted(
            ({key: resource.get(key) for key in keys} for resource in self.state),
            key=lambda resource: (resource["urn"], resource["id"] or ""),
        )


def outcome(bench: Workbench, command: CommandResult, samples: Sequence[Sample] = ()) -> Outcome:
    """A command, and the account and the state as they are now."""
    return Outcome(
        command=command,
        account=take_snapshot(bench.server),
        state=bench.state(),
        samples=samples,
    )


def succeeded(bench: Workbench, command: CommandResult, samples: Sequence[Sample] = ()) -> Outcome:
    """The outcome of a command that must not fail."""
    assert command.status == 0, command.text
    return outcome(bench, command, samples)
