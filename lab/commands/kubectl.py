"""`kubectl`: the cluster as its users see it, through the load balancer."""

import argparse

from lab.running import find
from lab.running.kubectl_runner import kubectl
from lab.workspace import Workspace

HELP = "run kubectl through the load balancer, with the stack's own kubeconfig"

PARSER = {"prefix_chars": "\0", "add_help": False}
"""Everything after the word belongs to kubectl, options included."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Whatever kubectl takes."""
    parser.add_argument("words", nargs=argparse.REMAINDER, metavar="...")


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """The exit code is kubectl's own."""
    return kubectl(find(workspace)).run(arguments.words)
