"""Command line of the node agent: each command says in one line what it did, or what is wrong and
what to do."""

import os
import sys
from argparse import ArgumentParser
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from node import files
from node.contract import RUNTIME
from node.errors import NodeError
from node.machine import Machine
from node.settings import at, load


@dataclass(frozen=True)
class Command:
    """A command: the module whose `run` it is, imported only when it runs."""

    module: str
    help: str
    tier: str | None = None
    """The tier whose machines alone run it; None for all."""
    worker: str | None = None
    """The module whose `run` it is on a worker; None where a tier alone runs it."""
    locked: bool = True
    """Whether a second run waits for the first, since a person may run what a unit is running. The
    others may not write where locks are, and systemd runs them one by one."""


COMMANDS: Mapping[str, Command] = {
    "prepare": Command(
        "node.prepare",
        "bring certificates, binaries and the data volume here",
        worker="node.worker.prepare_worker",
    ),
    "reconcile": Command(
        "node.reconcile",
        "take one step towards what the stack wants",
        worker="node.worker.reconcile_worker",
    ),
    "report": Command(
        "node.report",
        "write this node's status and metrics",
        worker="node.worker.worker_report",
    ),
    "run": Command(
        "node.rounds",
        "reconcile and report for as long as the machine runs",
        worker="node.rounds",
        locked=False,
    ),
    "snapshot": Command(
        "node.etcd.snapshot_schedule",
        "etcd: store a snapshot, if this member leads",
        tier="etcd",
    ),
    "restore": Command(
        "node.etcd.restore_request",
        "etcd: start the whole tier again from a snapshot",
        tier="etcd",
    ),
    "defrag": Command(
        "node.etcd.defrag_run",
        "etcd: give back disk space that the database wastes",
        tier="etcd",
    ),
    "release-lease": Command(
        "node.api.release_lease",
        "API server: free the lease of a daemon that ended",
        tier="api",
        locked=False,
    ),
    "watch-leader": Command(
        "node.api.watch_leader",
        "API server: leave etcd members that lost their leader",
        tier="api",
        locked=False,
    ),
    "liveness": Command(
        "node.api.liveness",
        "API server: kill kube-apiserver whenever it has died",
        tier="api",
        locked=False,
    ),
    "cluster-agent": Command(
        "node.cluster.agent",
        "API server: serve workers, where controllers lead",
        tier="api",
        locked=False,
    ),
}

_KIND = {"etcd": "etcd member", "api": "API server"}
"""What a machine of a tier is."""
_USAGE = "<command> [<arguments>]"


def parser() -> ArgumentParser:
    """The parser of command lines, of units and of people."""
    whole = ArgumentParser(
        "ha-node",
        description="Node agent of ha-kubernetes. Its units run its commands; people may, too.",
        usage=f"ha-node [-h] {_USAGE}",
        allow_abbrev=False,
    )
    commands = whole.add_subparsers(
        title="commands", metavar=_USAGE, dest="command", required=True, prog="ha-node"
    )
    parsers = {
        name: commands.add_parser(
            name, help=command.help, description=command.help, allow_abbrev=False
        )
        for name, command in COMMANDS.items()
    }
    parsers["snapshot"].add_argument(
        "--when-due",
        action="store_true",
        help="only if the interval that the stack sets has passed (for the timer)",
    )
    parsers["restore"].add_argument(
        "snapshot",
        metavar="<snapshot>",
        help="latest, or a key such as snapshots/etcd-0/20261124T121500Z-1000.db",
    )
    parsers["restore"].add_argument(
        "--discard-newer-writes",
        action="store_true",
        help="also while the cluster works: every write since the snapshot is lost",
    )
    parsers["release-lease"].add_argument(
        "daemon", metavar="<daemon>", help="kube-controller-manager or kube-scheduler"
    )
    return whole


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit status."""
    given = vars(parser().parse_args(arguments))
    name: str = given.pop("command")
    try:
        with _exclusive(name):
            print(f"{name}: {_run(name, given)}")
    except (NodeError, OSError, ImportError) as error:
        complain(f"{name}: {error}".replace("\n", " "))
        return 1
    return 0


def complain(said: str) -> None:
    """Print a line that is an error in the journal."""
    print(f"{_priority()}{said}", file=sys.stderr, flush=True)


def _run(name: str, given: Mapping[str, Any]) -> str:
    command, settings = COMMANDS[name], load()
    if command.tier and settings.tier != command.tier:
        raise NodeError(f"{settings.name} is no {_KIND[command.tier]}: run this on one")
    # What one tier needs is not imported on another: boto3 is, and workers seldom need it.
    run = import_module((settings.worker and command.worker) or command.module).run
    return str(run(settings, settings.etcd if command.tier == "etcd" else Machine(), **given))


def _priority() -> str:
    """What makes a line an error in the journal (sd-daemon(3)); empty on a terminal."""
    try:
        where = os.fstat(sys.stderr.fileno())
    except OSError:
        return ""
    journal = os.environ.get("JOURNAL_STREAM") == f"{where.st_dev}:{where.st_ino}"
    return "<3>" if journal else ""


@contextmanager
def _exclusive(name: str) -> Iterator[None]:
    if not COMMANDS[name].locked:
        yield
        return
    with files.locked(at(f"{RUNTIME}/{name}.lock")):
        yield
