"""The hidden command `complete`, which bash asks for words: commands, machines, units, zones."""

import argparse
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from lab import commands
from lab.commands.command import Command
from lab.lab_errors import LabError
from lab.machines.network.faults import partitionable
from lab.workspace import Workspace

if TYPE_CHECKING:
    from lab.running import RunningLab

UNITS = (
    "containerd",
    "etcd",
    "etcd-leader-watch",
    "etcd-proxy",
    "ha-cluster-agent",
    "ha-node",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
    "node-prepare",
)
"""The units that people ask for most."""

FIRST = {"shell", "logs", "kill", "power-cut", "power-restore", "isolate"}
"""Commands whose first word is a machine."""
SECOND = {"logs", "kill"}
"""Commands whose second word is a unit."""


def words(
    before: Sequence[str], listed: Sequence[str], lab: Callable[[], "RunningLab"]
) -> list[str]:
    """What may come after these words; `lab` is asked only where names of it may."""
    if not before:
        return list(listed)
    command, place = before[0], len(before)
    if place == 1 and command in FIRST:
        return list(lab().nodes())
    if place == 2 and command in SECOND:
        return list(UNITS)
    if place == 1 and command == "partition":
        return partitionable(lab().account())
    return []


def _complete_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("words", nargs="*", help="the words before the cursor")


def _complete(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """One candidate per line; none where there is no lab, and no complaint."""
    listed = [name for name, command in commands.COMMANDS.items() if command.description]
    try:
        found = words(arguments.words, listed, lambda: _lab(workspace))
    except LabError:
        return 0
    print("\n".join(found))
    return 0


def _lab(workspace: Workspace) -> "RunningLab":
    # With boto3, for which somebody who presses the tabulator would wait.
    from lab.running import find  # noqa: PLC0415 - most words need no lab

    return find(workspace)


COMPLETE = Command(_complete_arguments, _complete)
