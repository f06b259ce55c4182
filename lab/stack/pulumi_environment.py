"""The environment of `pulumi` on the lab's stack, and its short commands."""

import os
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from lab.cloud import aws_environment
from lab.cloud.emulator_server import Server
from lab.engine.model import Engine
from lab.workspace import Workspace

UNSET = ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_STACK", "PULUMI_ACCESS_TOKEN")
"""A person's own settings that would win over the lab's."""


def for_pulumi(base: Mapping[str, str], engine: Engine, server: Server) -> dict[str, str]:
    """The environment of a `pulumi` that this program starts."""
    kept = {name: value for name, value in base.items() if name not in UNSET}
    return aws_environment.environment(kept, server.endpoint) | dict(engine.environment)


def for_shell(engine: Engine, server: Server, completion: Path) -> str:
    """Lines that bring a shell into the lab; they hold no secret.

    `completion` is what bash sources as well: another shell could not read it.
    """
    exports = aws_environment.variables(server.endpoint) | dict(engine.environment)
    path = exports.pop("PATH").removesuffix(os.environ.get("PATH", ""))
    lines = [
        "# Brings a shell into the lab: . .lab/env",
        f"unset {' '.join((*aws_environment.UNSET, *UNSET))}",
        f'export NO_PROXY="${{NO_PROXY:+$NO_PROXY,}}{aws_environment.LOCAL}"',
        # A line of its own: words of one `export` are expanded before any of them is set.
        'export no_proxy="$NO_PROXY"',
        f'export PATH={shlex.quote(path)}"$PATH"',
        *(f"export {name}={shlex.quote(value)}" for name, value in sorted(exports.items())),
        f'if [ -n "${{BASH_VERSION:-}}" ]; then . {shlex.quote(str(completion))}; fi',
    ]
    return "\n".join(lines) + "\n"


def run_pulumi(
    workspace: Workspace, engine: Engine, environment: Mapping[str, str], *arguments: str
) -> subprocess.CompletedProcess[str]:
    """How a command of the CLI ends that nobody needs to watch or interrupt."""
    return subprocess.run(
        [str(engine.pulumi), *arguments],
        cwd=workspace.project,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
