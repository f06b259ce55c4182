"""The commands of the Pulumi CLI that a recovery consists of."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from recovery.recovery_error import RecoveryError


@dataclass(frozen=True)
class Engine:
    """`pulumi` in a project's directory, on one stack."""

    stack: str | None
    """None is the selected one."""

    def export(self) -> dict[str, Any]:
        """The stack's state; secrets stay encrypted. Raises RecoveryError."""
        return dict(json.loads(self._run("stack", "export")))

    def replace(self, state: Mapping[str, Any]) -> None:
        """Put a state in the place of the stack's. Raises RecoveryError."""
        self._run("stack", "import", text=json.dumps(state))

    def refresh(self) -> None:
        """Compare the state with AWS, shown as it goes. Raises RecoveryError."""
        done = self._pulumi("refresh", "--yes", "--skip-preview", stdin=subprocess.DEVNULL)
        if done.returncode:
            raise RecoveryError(
                "`pulumi refresh` failed; what was found is recorded: mend what it names, then run "
                "`pulumi refresh` and `pulumi up`."
            )

    def _run(self, *arguments: str, text: str = "") -> str:
        done = self._pulumi(*arguments, input=text, capture_output=True)
        if done.returncode:
            said = (done.stderr or done.stdout).strip()
            hint = " Is the update really dead? Then run `pulumi cancel`." if "lock" in said else ""
            raise RecoveryError(f"`pulumi {' '.join(arguments)}` failed: {said}.{hint}")
        return done.stdout

    def _pulumi(
        self,
        *arguments: str,
        **options: Any,  # noqa: ANN401 - of subprocess
    ) -> subprocess.CompletedProcess[str]:
        stack = () if self.stack is None else ("--stack", self.stack)
        command = ["pulumi", *arguments, *stack, "--non-interactive"]
        try:
            return subprocess.run(command, check=False, text=True, **options)
        except FileNotFoundError as error:
            raise RecoveryError("`pulumi` is not on PATH.") from error
