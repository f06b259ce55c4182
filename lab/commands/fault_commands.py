"""Commands that break a running lab, and mend it: `kill`, `power-cut`, `power-restore`, `isolate`,
`partition`, `heal`."""

import argparse
from collections.abc import Callable

from lab.commands.command import Command, name_argument, no_arguments, unit_argument
from lab.lab_errors import LabError
from lab.machines.network.faults import partitionable
from lab.running import RunningLab, fault_injection, find, inside
from lab.running.node_names import Node, choose_word, tier
from lab.workspace import Workspace

PARTITIONABLE = "a zone, or aws, or downloads"
_ACTIVE = ("--type=service", "--state=active,activating,deactivating")


def _on_a_node(inject: Callable[[RunningLab, Node], None], outcome: str) -> Command:
    """A command that does one thing to one machine; `{}` is the machine's name in `outcome`."""

    def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
        lab = find(workspace)
        node = lab.node(arguments.name)
        inject(lab, node)
        print(outcome.format(node.name))
        return 0

    return Command(name_argument, run)


POWER_CUT = _on_a_node(
    fault_injection.power_cut,
    "cut the power of {0}; `python -m lab power-restore {0}` gives it back",
)
POWER_RESTORE = _on_a_node(fault_injection.power_restore, "{} boots")


def _isolate_arguments(parser: argparse.ArgumentParser) -> None:
    name_argument(parser)
    parser.add_argument(
        "--peers", action="store_true", help="only a member of etcd from the other members"
    )


def _isolate(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Lose every packet of a machine, or those between members of etcd."""
    lab = find(workspace)
    node = lab.node(arguments.name)
    if not arguments.peers:
        fault_injection.isolate(lab, node)
    elif tier(node.name) == "etcd":
        fault_injection.isolate_from_peers(lab, node)
    else:
        raise LabError(f"{node.name} is no member of etcd, and has no peers.")
    whom = " from its peers" if arguments.peers else ""
    print(f"{node.name} is isolated{whom}; `python -m lab heal` ends it")
    return 0


ISOLATE = Command(_isolate_arguments, _isolate)


def _kill_arguments(parser: argparse.ArgumentParser) -> None:
    name_argument(parser)
    unit_argument(parser)


def _kill(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """SIGKILL to a daemon's main process; systemd does what its unit says."""
    lab = find(workspace)
    node = lab.node(arguments.name)
    listed = inside.output(
        lab.init(node), ["systemctl", "list-units", "--plain", "--no-legend", *_ACTIVE]
    )
    running = [line.split()[0].removesuffix(".service") for line in listed.splitlines()]
    given = arguments.unit.removesuffix(".service")
    unit = choose_word(f"running service on {node.name}", given, running)
    pid = fault_injection.kill(lab, node, unit)
    print(f"killed process {pid} of {unit} on {node.name}")
    return 0


KILL = Command(_kill_arguments, _kill)


def _partition_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", metavar="ZONE", help=PARTITIONABLE)


def _partition(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Cut off a zone or a service; within a zone its machines go on to reach each other."""
    lab = find(workspace)
    known = partitionable(lab.account())
    what = choose_word("zone or service", arguments.what, known)
    fault_injection.partition(lab, what)
    print(f"{what} is cut off; `python -m lab heal` ends it")
    return 0


PARTITION = Command(
    _partition_arguments,
    _partition,
)


def _heal(_arguments: argparse.Namespace, workspace: Workspace) -> int:
    ended = fault_injection.heal(find(workspace))
    print("\n".join(f"ended: {line}" for line in ended) or "there was no fault")
    return 0


HEAL = Command(no_arguments, _heal)
