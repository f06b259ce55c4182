"""`python -m lab`: AWS on this machine."""

import argparse
import os
import signal
import sys
from pathlib import Path

from lab.commands import COMMANDS
from lab.engine import EngineError
from lab.errors import LabError
from lab.stack.update import InterruptedUpdateError
from lab.workspace import ROOT, Workspace

FAILED = 1
INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run one command; 0 is success, 1 a failure in one sentence, 130 an interruption."""
    arguments = _parser().parse_args(argv)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    workspace = Workspace(arguments.project.resolve(), arguments.state.resolve())
    try:
        return COMMANDS[arguments.command].run(arguments, workspace)
    except (LabError, EngineError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    except (KeyboardInterrupt, InterruptedUpdateError):
        print("Interrupted; run the command again to continue.", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # Who reads our output has enough; Python must not complain when it flushes at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m lab", description="AWS on this machine.")
    parser.add_argument("--project", type=Path, default=ROOT, help="directory with Pulumi.yaml")
    parser.add_argument("--state", type=Path, default=ROOT / ".lab", help="the lab's directory")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, command in COMMANDS.items():
        options = {**command.parser}
        if command.description:
            options["help"] = command.description
        command.add_arguments(commands.add_parser(name, **options))
    return parser


if __name__ == "__main__":
    sys.exit(main())
