"""`python -m lab`: AWS on this machine."""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lab.commands import COMMANDS, Entry
from lab.lab_errors import InterruptedUpdateError, LabError
from lab.workspace import ROOT, Workspace

FAILED = 1
INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a failure in one sentence, 130 an interruption."""
    arguments = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        workspace = Workspace(arguments.project.resolve(), arguments.state.resolve())
        return COMMANDS[arguments.command].load().run(arguments, workspace)
    except LabError as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except (KeyboardInterrupt, InterruptedUpdateError):
        print("Interrupted; run the command again to continue.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads our output has enough; Python must not complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


class _CommandParser(argparse.ArgumentParser):
    """Parser of one command, which learns its arguments when it is asked to parse some."""

    entry: Entry | None = None

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        if self.entry:
            self.entry.load().add_arguments(self)
        return super().parse_known_args(args, namespace)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="AWS on this machine.")
    parser.add_argument("--project", type=Path, default=ROOT, help="directory with Pulumi.yaml")
    parser.add_argument("--state", type=Path, default=ROOT / ".lab", help="the lab's directory")
    commands = parser.add_subparsers(
        dest="command", required=True, metavar="command", parser_class=_CommandParser
    )
    for name, entry in COMMANDS.items():
        listed: dict[str, Any] = {"help": entry.description} if entry.description else {}
        commands.add_parser(name, **entry.parser, **listed).entry = entry
    return parser


if __name__ == "__main__":
    sys.exit(main())
