"""A throw-away program and stack: the real CLI, the real Terraform AWS provider and stock moto."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from lab.engine import Engine

REGION = "eu-central-1"


@dataclass(frozen=True)
class Finished:
    """A command that ended."""

    status: int
    text: str


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

    def pulumi(self, *arguments: str) -> Finished:
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
        return Finished(result.returncode, result.stdout + result.stderr)

    def up(self, **config: object) -> tuple[Finished, list[tuple[str, str]]]:
        """Update, and what it did to which resource, as the engine's own event log has it."""
        for name, value in config.items():
            assert self.pulumi("config", "set", name, str(value)).status == 0
        log = self.directory / "events.json"
        log.unlink(missing_ok=True)
        done = self.pulumi("up", "--yes", "--skip-preview", "--event-log", str(log))
        steps = []
        for line in log.read_text().splitlines():
            event = json.loads(line).get("resOutputsEvent")
            if event and event["metadata"]["op"] not in {"same", "read"}:
                urn = event["metadata"]["urn"]
                steps.append((event["metadata"]["op"], urn.rpartition("::")[2]))
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
