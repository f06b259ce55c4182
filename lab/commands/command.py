"""A command of `python -m lab`, and the arguments that several of them take."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.workspace import Workspace


@dataclass(frozen=True)
class Command:
    """One word of the command line."""

    description: str
    """One line; a command without it is not listed."""
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace, Workspace], int]
    """Does it; the exit code."""
    parser: Mapping[str, Any] = field(default_factory=dict)
    """Arguments of its ArgumentParser."""


def no_arguments(_parser: argparse.ArgumentParser) -> None:
    """Declare nothing."""


def name_argument(parser: argparse.ArgumentParser) -> None:
    """Declare which machine."""
    parser.add_argument("name", metavar="NAME", help="a machine: etcd-0, api-1, or an instance id")


def unit_argument(parser: argparse.ArgumentParser, **options: Any) -> None:  # noqa: ANN401 - argparse's
    """Declare which unit of it."""
    known = "a systemd unit: etcd, kube-apiserver, kube-scheduler, node-reconcile, ..."
    parser.add_argument("unit", metavar="UNIT", help=known, **options)
