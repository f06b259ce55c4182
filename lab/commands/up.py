"""`up`: the whole stack in the emulated AWS, by the real Pulumi engine."""

import argparse
import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from rich.console import Console

from lab import engine as engines
from lab.engine import Engine
from lab.errors import LabError
from lab.files import write_atomically
from lab.lock import exclusive
from lab.machines import requirements
from lab.machines.provide import provide
from lab.stack import cloud, environment, leftovers, outputs, salt, update
from lab.stack.checkpoint import Checkpoint
from lab.workspace import STACK, Workspace

HELP = "bring the stack up, or continue where an earlier run ended"

NEXT = """\
Work on it by hand:
  . {env}
  pulumi config set --path etcd.size 5
  pulumi preview
  pulumi up
Remove everything: make down"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whether instances become machines."""
    parser.add_argument(
        "--machines", action="store_true", help="boot every instance for real (Linux, root)"
    )


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Provide the engine and the cloud, update the stack, show what came of it."""
    console = Console(highlight=False)
    if arguments.machines:
        requirements.require()
    workspace.prepare()
    with exclusive(workspace.lock):
        _up(workspace, console, machines=arguments.machines)
    return 0


def _up(workspace: Workspace, console: Console, *, machines: bool) -> None:
    phases: dict[str, float] = {}

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    if leftovers.stop_update(workspace):
        say("ended an update that an earlier run had left behind")
    with _timed(phases, "engine"):
        engine = engines.provide(workspace.state, say)
    for part, source in engine.sources.items():
        say(f"{part}: {source}")
    checkpoint = Checkpoint.of(workspace, engine)
    with _timed(phases, "cloud"):
        server = cloud.provide(workspace, checkpoint, say)
    if machines:
        with _timed(phases, "machines"):
            provide(workspace, server, say)
    pulumi = environment.for_pulumi(os.environ, engine, server)
    write_atomically(workspace.env, environment.for_shell(engine, server))
    if leftovers.free_lock(workspace, checkpoint, engine, pulumi):
        say("removed the stack's lock, whose holder is dead")
    with _timed(phases, "pulumi up"):
        _select(workspace, engine, pulumi)
        tally = update.run(workspace, engine, pulumi, console)
    for note in tally.notes:
        say(note)
    console.print(outputs.table(outputs.read(workspace, engine, pulumi)))
    say(", ".join(f"{name} {seconds:.0f} s" for name, seconds in phases.items()))
    say(NEXT.format(env=os.path.relpath(workspace.env, workspace.project)))


def _select(workspace: Workspace, engine: Engine, pulumi: Mapping[str, str]) -> None:
    salt.remove_stale(workspace.stack_file, workspace.salt)
    answer = subprocess.run(
        [str(engine.pulumi), "stack", "select", "--create", STACK, "--non-interactive"],
        cwd=workspace.project,
        env=dict(pulumi),
        capture_output=True,
        text=True,
        check=False,
    )
    salt.remember(workspace.stack_file, workspace.salt)
    if answer.returncode:
        raise LabError(f"Pulumi cannot select the stack: {answer.stderr.strip()}")


@contextmanager
def _timed(phases: dict[str, float], name: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    phases[name] = time.monotonic() - began
