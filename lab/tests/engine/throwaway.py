"""Throw-away program and stack: the real CLI, the real Terraform AWS provider and stock moto."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from lab.engine.model import Engine
from lab.tests.engine.update_steps import Step, read_steps

REGION = "eu-central-1"


@dataclass(frozen=True)
class CommandResult:
    """What a command printed and did."""

    status: int
    text: str
    steps: tuple[Step, ...] = ()

    @property
    def errors(self) -> list[str]:
        """The lines that say what is wrong, without the engine's own last word."""
        lines = [line.strip() for line in self.text.splitlines()]
        marked = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
        return [line for line in marked if line not in {"update failed", "preview failed"}]


@dataclass(frozen=True)
class Project:
    """The throw-away program and the commands on its stack."""

    engine: Engine
    directory: Path
    endpoint: str

    @property
    def environment(self) -> Mapping[str, str]:
        return {
            **os.environ,
            **self.engine.environment,
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "PULUMI_DEBUG_COMMANDS": "true",  # makes --event-log known
        }

    def pulumi(self, *arguments: str) -> CommandResult:
        command = [str(self.engine.pulumi), *arguments, "--non-interactive", "--color", "never"]
        result = subprocess.run(
            command,
            cwd=self.directory,
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return CommandResult(result.returncode, result.stdout + result.stderr)

    def up(self, **config: object) -> tuple[CommandResult, list[tuple[str, str]]]:
        """Update, and what it did to which resource, as the engine's own event log has it."""
        for name, value in config.items():
            assert self.pulumi("config", "set", name, str(value)).status == 0
        log = self.directory / "events.json"
        log.unlink(missing_ok=True)
        done = self.pulumi("up", "--yes", "--skip-preview", "--event-log", str(log))
        steps = [(step.op, step.name) for step in read_steps(log) if step.ended is not None]
        return done, steps

    def state(self) -> str:
        home = Path(self.engine.environment["PULUMI_BACKEND_URL"].removeprefix("file://"))
        return (home / ".pulumi/stacks/throwaway/test.json").read_text()

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def make(
    engine: Engine, endpoint: str, directory: Path, program: str, name: str = "throwaway"
) -> Project:
    """A program in a directory, and an empty stack of it. Each project has a name of its own."""
    (directory / "__main__.py").write_text(program)
    (directory / "Pulumi.yaml").write_text(
        f"name: {name}\nruntime:\n  name: python\n  options:\n    virtualenv: {sys.prefix}\n"
    )
    project = Project(engine, directory, endpoint)
    assert project.pulumi("stack", "init", "test").status == 0
    return project
