"""`kill`: a daemon dies as if it had crashed."""

import argparse

from lab.commands import completion
from lab.running import fault_injection, find, inside
from lab.running.node_names import choose_word
from lab.workspace import Workspace

HELP = "kill a daemon of a machine (SIGKILL)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Which machine, which daemon."""
    parser.add_argument("name", metavar="NAME", help=completion.MACHINE)
    parser.add_argument("unit", metavar="UNIT", help=completion.UNIT)


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Kill its main process; systemd does what its unit says. Raises LabError when none runs."""
    lab = find(workspace)
    node = lab.node(arguments.name)
    init = lab.init(node)
    listed = inside.output(init, ["systemctl", "list-units", "--plain", "--no-legend", *ACTIVE])
    running = [line.split()[0].removesuffix(".service") for line in listed.splitlines()]
    unit = choose_word(f"running service on {node.name}", _short(arguments.unit), running)
    pid = fault_injection.kill(lab, node, unit)
    print(f"killed process {pid} of {unit} on {node.name}")
    return 0


ACTIVE = ("--type=service", "--state=active,activating,deactivating")


def _short(unit: str) -> str:
    return unit.removesuffix(".service")
