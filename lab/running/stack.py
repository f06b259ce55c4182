"""The lab's stack, by the real CLI. Nothing here shows a secret but to the caller."""

import json
import os
import signal
import subprocess
from typing import Any

from lab.engine import providing
from lab.lab_errors import LabError
from lab.running.lab import RunningLab
from lab.stack import pulumi_environment
from lab.workspace import STACK


def pulumi(lab: RunningLab, *arguments: str) -> subprocess.CompletedProcess[str]:
    """How a `pulumi` on the lab's stack ends. Raises EngineError when there is no engine."""
    engine = providing.provide(lab.workspace.state, lambda _text: None)
    command = [str(engine.pulumi), *arguments, "--stack", STACK]
    with subprocess.Popen(
        [*command, "--non-interactive", "--color=never"],
        cwd=lab.workspace.project,
        env=pulumi_environment.for_pulumi(os.environ, engine, lab.server),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Out of the terminal's reach: it is interrupted once, below.
        start_new_session=True,
    ) as process:
        try:
            out, err = process.communicate()
        except KeyboardInterrupt:
            # Killed within an operation it would leave a stack that nobody can trust.
            process.send_signal(signal.SIGINT)
            process.communicate()
            raise
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def kubeconfig(lab: RunningLab) -> bytes:
    """The administrator's kubeconfig, as the stack exports it. Raises LabError, EngineError."""
    done = pulumi(lab, "stack", "output", "kubeconfig", "--show-secrets")
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        raise LabError(f"The stack has no kubeconfig yet: bring it up with `make lab` ({reason}).")
    return done.stdout.encode()


def secret_outputs(lab: RunningLab, type_: str) -> dict[str, dict[str, Any]]:
    """Outputs, secrets in clear, of all resources of a type, by the resources' names.

    Raises LabError, EngineError.
    """
    done = pulumi(lab, "stack", "export", "--show-secrets")
    if done.returncode:
        raise LabError(f"The stack's state cannot be read: {done.stderr.strip()}")
    resources = json.loads(done.stdout)["deployment"]["resources"]
    return {
        one["urn"].rpartition("::")[2]: {k: _clear(v) for k, v in one.get("outputs", {}).items()}
        for one in resources
        if one["type"] == type_
    }


def _clear(value: object) -> Any:  # noqa: ANN401 - JSON
    """A secret's value: it stands in the state as JSON within an object of its own."""
    if isinstance(value, dict) and "plaintext" in value:
        return json.loads(value["plaintext"])
    return value
