"""The shell's side of the lab: `env`, and the function that completes words.

`. .lab/env` in bash defines the function `lab`, whose words are completed by asking the hidden
command `complete`.
"""

import argparse
import shlex
import sys

from lab.commands.command import Command, no_arguments
from lab.lab_errors import LabError
from lab.workspace import ROOT, Workspace

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


def _env(_arguments: argparse.Namespace, workspace: Workspace) -> int:
    """Print the file that `up` wrote."""
    if not workspace.env.exists():
        raise LabError("There is no lab: run `make up` first.")
    print(workspace.env.read_text(encoding="utf-8"), end="")
    return 0


ENV = Command(no_arguments, _env)
