"""`up`: the whole stack in the emulated AWS, by the real Pulumi engine."""

import argparse
import os
from collections.abc import Mapping

from rich.console import Console

from lab.atomic_file import write_atomically
from lab.commands import shell_integration
from lab.commands.command import Command
from lab.engine import providing
from lab.engine.model import Engine
from lab.lab_errors import LabError
from lab.lock import exclusive
from lab.machines import requirements
from lab.machines.provision import provide
from lab.running import find
from lab.running.ready import await_ready
from lab.running.view import tables
from lab.stack import cloud, leftovers, pulumi_environment, stack_config, stack_outputs, update
from lab.stack.checkpoint import Checkpoint
from lab.stack.timing import Timing
from lab.workspace import STACK, Workspace

TRY = """\
Try it; `. {env}` brings a shell into the lab, where `lab` completes names in bash:
  lab status                                 with --watch: until Ctrl-C, and what happens
  lab kubectl get leases --namespace kube-system
  lab logs etcd-0 etcd                       what a daemon wrote
  lab shell api-0                            a shell in a machine
  lab kill api-0 kube-controller-manager     a daemon dies: who leads now?
  lab power-cut etcd-1                       a machine loses its power; lab power-restore etcd-1
  lab partition eu-central-1a                a zone is cut off; lab heal
  pulumi config set --path etcd.size 5 && pulumi up
Elsewhere `lab` is `.venv/bin/python -m lab`. Remove everything: make down"""
"""What to do with a lab whose machines run."""

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
    """Provide the engine and the cloud, update the stack, show what came of it.

    Raises LabError, EngineError.
    """
    console = Console(highlight=False)
    if arguments.machines:
        requirements.require()
    workspace.prepare()
    with exclusive(workspace.lock):
        _up(workspace, console, machines=arguments.machines)
    return 0


UP = Command(add_arguments, run)


def _up(workspace: Workspace, console: Console, *, machines: bool) -> None:
    timing = Timing()

    def say(text: str) -> None:
        console.print(text, markup=False, soft_wrap=True)

    if leftovers.stop_update(workspace):
        say("ended an update that an earlier run had left behind")
    with timing.part("engine"):
        engine = providing.provide(workspace.state, say)
    for part, source in engine.sources.items():
        say(f"{part}: {source}")
    checkpoint = Checkpoint.of(workspace, engine)
    with timing.part("cloud"):
        server = cloud.provide(workspace, checkpoint, say)
    if machines:
        provide(workspace, server, say, timing)
    pulumi = pulumi_environment.for_pulumi(os.environ, engine, server)
    write_atomically(workspace.completion, shell_integration.bash(workspace))
    write_atomically(
        workspace.env, pulumi_environment.for_shell(engine, server, workspace.completion)
    )
    if leftovers.free_lock(workspace, checkpoint, engine, pulumi):
        say("removed the stack's lock, whose holder is dead")
    with timing.part("pulumi up"):
        _select(workspace, engine, pulumi)
        tally = update.run(workspace, engine, pulumi, console)
    for note in tally.notes:
        say(note)
    console.print(stack_outputs.table(stack_outputs.read(workspace, engine, pulumi)))
    if machines:
        with timing.part("ready"):
            snapshots = await_ready(find(workspace), say)
        console.print(*tables(snapshots), sep="\n")
    timing.save(workspace.timing)
    say(str(timing))
    env = os.path.relpath(workspace.env, workspace.project)
    say(TRY.format(env=env) if machines else NEXT.format(env=env))


def _select(workspace: Workspace, engine: Engine, pulumi: Mapping[str, str]) -> None:
    stack_config.remove_stale_salt(workspace.stack_file, workspace.salt)
    command = ("stack", "select", "--create", STACK, "--non-interactive")
    answer = pulumi_environment.run_pulumi(workspace, engine, pulumi, *command)
    stack_config.remember_salt(workspace.stack_file, workspace.salt)
    if answer.returncode:
        raise LabError(f"Pulumi cannot select the stack: {answer.stderr.strip()}")
