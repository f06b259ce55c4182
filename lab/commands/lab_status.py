"""`status`: what runs, and where; what the API says of each machine, and what it says of itself."""

import argparse

from lab.cloud import emulator_server, inventory
from lab.commands.command import Command
from lab.machines.layout import Layout
from lab.processes import ProcessIdentity
from lab.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare whether to go on."""
    parser.add_argument(
        "--watch",
        action="store_true",
        help="show the machines until Ctrl-C, and what happens to them",
    )


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """One line per part, then the machines; or the machines until Ctrl-C."""
    if arguments.watch:
        _show_machines(workspace, until_interrupt=True)
        return 0
    running = emulator_server.find(workspace.state)
    if running is None:
        print("AWS emulator: not running; `make up` starts it")
        return 0
    update = ProcessIdentity.load(workspace.update)
    print(f"AWS emulator: {running.endpoint}, process {running.identity.pid}, log {running.log}")
    print(f"update: {f'process {update.pid}' if update else 'none'}")
    print(f"account: {inventory.summary(running.inventory())}")
    if Layout(workspace.state).base.exists():
        _show_machines(workspace, until_interrupt=False)
    return 0


STATUS = Command(add_arguments, run)


def _show_machines(workspace: Workspace, *, until_interrupt: bool) -> None:
    from lab.commands import machine_status  # noqa: PLC0415 - boto3 takes longer than an answer

    machine_status.show(workspace, until_interrupt=until_interrupt)
