"""`kubectl`: through the load balancer, with the stack's own kubeconfig."""

import argparse

from lab.commands.command import Command
from lab.running import find
from lab.running.kubectl_runner import kubectl
from lab.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare that everything is kubectl's."""
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...")


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Run it; its exit code; raises LabError, EngineError."""
    return kubectl(find(workspace)).run(arguments.words)


KUBECTL = Command(add_arguments, run)
