"""`partition`: a zone, or a service of AWS, is out of reach."""

import argparse

from lab.commands import completion
from lab.running import fault_injection, find
from lab.running.node_names import choose_word
from lab.workspace import Workspace

HELP = "cut off a zone, or all machines from `aws` or `downloads`; `heal` ends it"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to cut off."""
    parser.add_argument("what", metavar="ZONE", help=completion.PARTITIONABLE)


def run(arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Within a zone its machines go on to reach each other."""
    lab = find(workspace)
    what = choose_word(
        "zone or service", arguments.what, fault_injection.partitionable(lab.account())
    )
    fault_injection.partition(lab, what)
    print(f"{what} is cut off; `python -m lab heal` ends it")
    return 0
