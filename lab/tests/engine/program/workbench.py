"""Workbench: a copy of the project with a lab of its own, and the commands given in it."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from botocore.exceptions import BotoCoreError

from lab.cloud import aws_environment, emulator_server, requests
from lab.cloud.inventory import Inventory
from lab.engine import providing
from lab.machines.account import Clients
from lab.processes import ProcessIdentity
from lab.proofs.documented_commands import Block
from lab.stack import cloud, leftovers, pulumi_environment
from lab.tests.engine.program import holding_provider
from lab.tests.engine.program.account_snapshot import running_instances
from lab.tests.engine.throwaway import CommandResult, free_port
from lab.tests.engine.update_steps import read_steps, said
from lab.workspace import STACK, Workspace
from tests.recording import REPOSITORY

PROGRAM = ("Pulumi.yaml", "__main__.py", "components", "config", "node", "recovery")
"""What a Pulumi program of this project consists of, and its operator's tools."""

TYPED = """\
set -eo pipefail
. {env}
pulumi() {{
  if [ "$1" = up ]; then set -- "$@" --yes --skip-preview --event-log {log}; fi
  command pulumi "$@" --non-interactive --color never
}}
"""
"""What makes of commands of the documentation those of a test: nobody is asked, and it is known
what they did."""

QUIET = 4.0
"""Seconds without an event after which an update is taken to wait for what is held."""

STATE_ONCE = {"PULUMI_SKIP_CHECKPOINTS": "true"}
"""Has the engine write its state once, at the end."""
STATE_ALWAYS = {"PULUMI_SKIP_CHECKPOINTS": "false"}
"""Has it write its state after each step, as for people."""

LONGEST = 1200
"""Seconds after which a command is taken for stuck."""


@dataclass
class Workbench:
    """A copy of the project, and its lab."""

    directory: Path
    running: subprocess.Popen[str] | None = None
    closed: bool = False
    port: int = field(default_factory=free_port)
    followed: list[Block] = field(default_factory=list)
    """Blocks of the documentation that were run."""

    def __post_init__(self) -> None:
        """Copy the program; the interpreter of the copy is this one."""
        self.project.mkdir(parents=True)
        for name in PROGRAM:
            source, target = REPOSITORY / name, self.project / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, target)
        (self.project / ".venv").symlink_to(sys.prefix)

    @property
    def project(self) -> Path:
        return self.directory / "project"

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.project, self.directory / "lab")

    @property
    def server(self) -> emulator_server.Server:
        found = emulator_server.find(self.workspace.state)
        assert found, "the emulator does not run"
        return found

    @property
    def clients(self) -> Clients:
        return cloud.clients(self.server)

    def aws(self, service: str) -> Any:
        return self.clients(service)

    def judge(self, method: str, **body: str) -> None:
        """Say how a target of the load balancer is (lab.cloud.control_api)."""
        self._request("/_lab/target-health", method, json.dumps(body).encode())

    def asked(self) -> set[tuple[str, str]]:
        """What `pulumi` asked of AWS so far: actions and resources (lab.cloud.requests)."""
        return {
            (one["action"], one["resource"])
            for one in json.loads(self._request(requests.PATH))
            if one["access_key"] == aws_environment.ACCESS_KEY
        }

    def forget(self) -> None:
        """Let `asked` begin again."""
        self._request(requests.PATH, "DELETE")

    def _request(self, path: str, method: str = "GET", body: bytes | None = None) -> bytes:
        url = f"{self.server.endpoint}{path}"
        request = urllib.request.Request(url, method=method, data=body)  # noqa: S310 - a loopback address
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - a loopback address
            return bytes(answer.read())

    def inventory(self) -> Inventory:
        return self.server.inventory()

    def lab(
        self,
        name: str,
        *,
        meanwhile: Callable[[int], None] | None = None,
        variables: Mapping[str, str] = STATE_ONCE,
    ) -> CommandResult:
        """`python -m lab`; `meanwhile` gets its process id."""
        words = [sys.executable, "-m", "lab", "--project", str(self.project)]
        words += ["--state", str(self.workspace.state), name]
        environment = {**os.environ, "HA_LAB_PORT": str(self.port), "COLUMNS": "200", **variables}
        return self._finish(words, REPOSITORY, environment, meanwhile)

    def pulumi(
        self,
        *arguments: str,
        without: Sequence[str] = (),
        meanwhile: Callable[[int], None] | None = None,
        **variables: str,
    ) -> CommandResult:
        """`pulumi` in a shell that sourced `.lab/env`."""
        line = shlex.join(["pulumi", *arguments, "--non-interactive", "--color", "never"])
        unset = f"unset {shlex.join(without)};" if without else ""
        changes = "".join(f"export {name}={shlex.quote(to)};" for name, to in variables.items())
        script = f". {shlex.quote(str(self.workspace.env))}; {unset} {changes} exec {line}"
        environment = {**os.environ, "PULUMI_DEBUG_COMMANDS": "true"}  # makes --event-log known
        return self._finish(["/bin/sh", "-c", script], self.project, environment, meanwhile)

    def update(
        self,
        name: str,
        *options: str,
        meanwhile: Callable[[Path], None] | None = None,
        **environment: Any,
    ) -> CommandResult:
        """`pulumi up`, `refresh` or `destroy`, without a preview first; `meanwhile` gets the event
        log.

        The state is written at the end alone: most of an update's computing goes into writing it
        after each step. Where the engine is killed it is written after each step, as for people.
        """
        log = self.directory / f"{name}.events"
        log.unlink(missing_ok=True)
        arguments = [name, "--stack", STACK, "--yes", "--skip-preview", *options]
        during = None if meanwhile is None else (lambda _: meanwhile(log))
        variables = {**STATE_ONCE, **environment}
        done = self.pulumi(*arguments, "--event-log", str(log), meanwhile=during, **variables)
        return CommandResult(done.status, done.text, read_steps(log))

    def follow(self, block: Block) -> CommandResult:
        """The commands of a block, in bash, as they are written; the first that fails ends it."""
        log = self.directory / "followed.events"
        log.unlink(missing_ok=True)
        places = {"env": self.workspace.env, "log": log}
        typed = TYPED.format(**{name: shlex.quote(str(path)) for name, path in places.items()})
        script = typed + "\n".join(block.typed(self.workspace.env))
        environment = {**os.environ, "PULUMI_DEBUG_COMMANDS": "true", **STATE_ONCE}
        done = self._finish(["/bin/bash", "-c", script], self.project, environment, None)
        self.followed.append(block)
        return CommandResult(done.status, done.text, read_steps(log))

    def prepare(self) -> None:
        """What `make up` does before its first update, which needs no preview here."""
        self.workspace.prepare()
        engine = providing.provide(self.workspace.state, print)
        emulator = emulator_server.start(self.workspace.state, self.port)
        self.workspace.env.write_text(
            pulumi_environment.for_shell(engine, emulator, self.workspace.completion)
        )
        self.workspace.completion.touch()
        done = self.pulumi("stack", "select", "--create", STACK)
        assert done.status == 0, done.text

    def prepare_holding(self) -> None:
        """The same, with a provider that can hold answers."""
        self.prepare()
        (launcher,) = self.workspace.state.glob("engine/plugins/resource-aws-*/pulumi-*")
        text = launcher.read_text()
        assert "lab.engine.aws.aws_host" in text, "an official plugin cannot be held"
        text = text.replace("lab.engine.aws.aws_host", holding_provider.__name__)
        own = f" {shlex.quote(str(self.directory))} --binary "
        launcher.write_text(text.replace(" --binary ", own, 1))
        self.hold()

    @property
    def held(self) -> Path:
        return self.directory / "held"

    def hold(self, *types: str) -> None:
        """Have the provider not answer creations of these types (holding_provider.py)."""
        shutil.rmtree(self.held, ignore_errors=True)
        for moment in holding_provider.MOMENTS:
            (self.held / moment).mkdir(parents=True)
        (self.directory / "hold.json").write_text(json.dumps(types))

    def held_urns(self, moment: str) -> set[str]:
        return {path.read_text() for path in (self.held / moment).iterdir()}

    def kill_held(self) -> CommandResult:
        """Run an update until nothing but what is held goes on, then kill the engine; an update
        that has nothing to hold ends."""

        def kill(log: Path) -> None:
            quiet = 0.0
            before: tuple[int, int] = (0, 0)
            deadline = time.monotonic() + LONGEST
            assert self.running
            while self.running.poll() is None and quiet < QUIET:
                assert time.monotonic() < deadline, "the update neither ends nor stands still"
                time.sleep(0.5)
                held = {
                    urn for moment in holding_provider.MOMENTS for urn in self.held_urns(moment)
                }
                creating = {
                    operation["resource"]["urn"] for operation in self._latest("pending_operations")
                }
                now = (log.stat().st_size if log.exists() else 0, len(held))
                still = held and creating == held and now == before
                quiet, before = (quiet + 0.5 if still else 0.0), now
            if self.running.poll() is None:
                self.running.kill()

        return self.update("up", "--parallel", "64", meanwhile=kill, **STATE_ALWAYS)

    def recover(self, *options: str) -> CommandResult:
        """The runbook's commands after a kill, up to the `pulumi up` that goes on."""
        done = self.pulumi("cancel", "--yes", "--stack", STACK)
        assert done.status == 0, done.text
        words = [sys.executable, "-m", "recovery", "--stack", STACK, *options]
        script = f". {shlex.quote(str(self.workspace.env))}; exec {shlex.join(words)}"
        return self._finish(["/bin/sh", "-c", script], self.project, os.environ, None)

    def lab_up(self, **options: Any) -> CommandResult:
        """`make up`, with the options of `lab`."""
        self.workspace.events.unlink(missing_ok=True)
        done = self.lab("up", **options)
        return CommandResult(done.status, done.text, read_steps(self.workspace.events))

    def set(self, path: str, value: Any) -> None:
        """What `pulumi config set --path` does to the stack's file."""
        document = yaml.safe_load(self.workspace.stack_file.read_text())
        *parents, last = f"ha-kubernetes:{path}".split(".")
        mapping = document["config"]
        for parent in parents:
            mapping = mapping.setdefault(parent, {})
        mapping[last] = value
        self.workspace.stack_file.write_text(yaml.safe_dump(document))

    def preview(
        self, changes: Mapping[str, Any] | None = None, *options: str, **environment: Any
    ) -> CommandResult:
        """`pulumi preview` with other settings by path, which are put back."""
        before = self.workspace.stack_file.read_text()
        for path, value in (changes or {}).items():
            self.set(path, value)
        try:
            return self.pulumi("preview", "--stack", STACK, *options, **environment)
        finally:
            self.workspace.stack_file.write_text(before)

    def configure(self, config: Mapping[str, Any]) -> None:
        """Replace the stack's file."""
        self.workspace.stack_file.write_text(yaml.safe_dump({"config": dict(config)}))

    def state(self) -> list[dict[str, Any]]:
        """The resources of the stack's state file, secrets encrypted."""
        return self._latest("resources")

    @property
    def checkpoint(self) -> Path:
        """The stack's state file."""
        backend = self.workspace.state / "engine" / "state" / ".pulumi" / "stacks"
        return backend / self.workspace.project_name / f"{STACK}.json"

    def _latest(self, part: str) -> list[dict[str, Any]]:
        if not self.checkpoint.exists():
            return []
        latest = json.loads(self.checkpoint.read_text())["checkpoint"]["latest"] or {}
        return list(latest.get(part) or [])

    def close(self) -> None:
        """End everything, whatever is under way."""
        self.closed = True
        if self.running:
            self.running.kill()
        update = ProcessIdentity.load(self.workspace.update)
        if update:
            update.send(signal.SIGKILL)
        leftovers.stop_orphaned_processes(self.workspace.state)
        emulator = emulator_server.find(self.workspace.state)
        if emulator:
            emulator.stop()

    def _finish(
        self,
        words: Sequence[str],
        directory: Path,
        environment: Mapping[str, str],
        meanwhile: Callable[[int], None] | None,
    ) -> CommandResult:
        with subprocess.Popen(
            words,
            cwd=directory,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            self.running = process
            try:
                if meanwhile:
                    meanwhile(process.pid)
                text, _ = process.communicate(timeout=LONGEST)
            except BaseException:
                process.send_signal(signal.SIGKILL)
                raise
            finally:
                self.running = None
        return CommandResult(process.returncode, text)

    def await_step(self, type_: str, name: str, *, ended: bool = False) -> None:
        """Wait until the lab's update has begun a step on a resource, or has ended it."""
        self._until(
            f"a step on {name}",
            lambda: any(
                (step.type.rpartition(":")[2], step.name) == (type_, name)
                and (step.ended is not None or not ended)
                for step in read_steps(self.workspace.events)
            ),
        )

    def await_instance(self, name: str) -> None:
        """Wait until the account has an instance; a lab that begins again takes another emulator."""

        def there() -> bool:
            server = emulator_server.find(self.workspace.state)
            with suppress(BotoCoreError):
                return bool(server) and name in running_instances(cloud.clients(server)("ec2"))
            return False

        self._until(f"an instance {name}", there)

    def await_pending(self, name: str) -> None:
        """Wait until the state says that an operation on a resource is under way, which it does
        some time after the event that announces it."""
        self._until(
            f"an operation on {name}",
            lambda: any(
                operation["resource"]["urn"].endswith(f"::{name}")
                for operation in self._latest("pending_operations")
            ),
        )

    def await_line(self, log: Path, text: str) -> None:
        """Wait until an update has said something, as its event log has it."""
        self._until(f"a line with {text!r}", lambda: any(text in line for line in said(log)))

    def _until(self, what: str, found: Callable[[], bool]) -> None:
        """Wait for something while a command runs; its end before that is a failure."""
        deadline = time.monotonic() + LONGEST
        while not found():
            assert self.running, "not even started"
            assert self.running.poll() is None, f"it ended without {what}"
            assert time.monotonic() < deadline, f"{what} never came"
            time.sleep(0.3)

    def interrupt(self) -> None:
        """Ctrl-C for what runs."""
        assert self.running
        self.running.send_signal(signal.SIGINT)
