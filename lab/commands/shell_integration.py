"""The shell's side of the lab: `env`, and the completion of commands, machines, units and zones.

`. .lab/env` in bash defines the function `lab`, whose words are completed by asking the hidden
command `complete`.
"""

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence

from lab import commands
from lab.commands.command import Command, no_arguments
from lab.errors import LabError
from lab.running import find
from lab.running.fault_injection import partitionable
from lab.running.lab import RunningLab
from lab.workspace import ROOT, Workspace

UNITS = (
    "etcd",
    "etcd-proxy",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "node-prepare",
    "node-reconcile",
    "node-report",
)
"""The units that people ask for most."""

FIRST = {"shell", "logs", "kill", "power-cut", "power-restore", "isolate"}
"""Commands whose first word is a machine."""
SECOND = {"logs", "kill"}
"""Commands whose second word is a unit."""

_START = "import sys; sys.path.insert(0, {root!r}); from lab.__main__ import main; sys.exit(main())"
"""As `python -m lab` does it, from whatever directory."""

_BASH = """\
lab() {{ {command} "$@"; }}
_lab() {{
  local candidates
  candidates=$(lab complete -- "${{COMP_WORDS[@]:1:COMP_CWORD-1}}" 2>/dev/null)
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "${{COMP_WORDS[COMP_CWORD]}}")
}}
complete -F _lab lab
"""


def bash(workspace: Workspace) -> str:
    """What bash sources to have the command `lab`, and its words completed. Pure."""
    start = [sys.executable, "-P", "-c", _START.format(root=str(ROOT))]
    place = ["--project", str(workspace.project), "--state", str(workspace.state)]
    return _BASH.format(command=shlex.join([*start, *place]))


def words(before: Sequence[str], listed: Sequence[str], lab: Callable[[], RunningLab]) -> list[str]:
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
        found = words(arguments.words, listed, lambda: find(workspace))
    except LabError:
        return 0
    print("\n".join(found))
    return 0


COMPLETE = Command(_complete_arguments, _complete)


def _env(_arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Print the file that `up` wrote."""
    if not workspace.env.exists():
        raise LabError("There is no lab: run `make up` first.")
    print(workspace.env.read_text(encoding="utf-8"), end="")
    return 0


ENV = Command(no_arguments, _env)
