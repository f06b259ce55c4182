"""A command of `python -m lab`, and the arguments that several of them take."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.workspace import Workspace


@dataclass(frozen=True)
class Command:
    """What one word of the command line does."""

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Workspace], int]
    """Does it; the exit code."""


def no_arguments(_parser: argparse.ArgumentParser) -> None:
    """Declare nothing."""


def name_argument(parser: argparse.ArgumentParser) -> None:
    """Declare which machine."""
    parser.add_argument(
        "name", metavar="NAME", help="a machine: etcd-0, api-1, ip-10-0-8-4, or an instance id"
    )


def unit_argument(parser: argparse.ArgumentParser, **options: Any) -> None:  # noqa: ANN401 - argparse's
    """Declare which unit of it."""
    known = "a systemd unit: etcd, kube-apiserver, kube-scheduler, kubelet, ha-node, ..."
    parser.add_argument("unit", metavar="UNIT", help=known, **options)
