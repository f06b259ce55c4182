"""`status`: what runs, and where."""

import argparse

from lab.cloud import inventory, server
from lab.processes import ProcessIdentity
from lab.stack import cloud
from lab.workspace import Workspace

HELP = "show what runs, and where"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


def run(_arguments: argparse.Namespace, workspace: Workspace) -> int:
    """One line per part."""
    running = server.find(workspace.state)
    if running is None:
        print("AWS emulator: not running; `make up` starts it")
        return 0
    update = ProcessIdentity.load(workspace.update)
    print(f"AWS emulator: {running.endpoint}, process {running.identity.pid}, log {running.log}")
    print(f"update: {f'process {update.pid}' if update else 'none'}")
    print(f"account: {inventory.summary(inventory.remaining(cloud.clients(running)))}")
    return 0
