"""What the shell completes in `python -m lab`: commands, machines, units, zones.

`. .lab/env` in bash defines the function `lab`, whose words are completed by asking the hidden
command `complete`.
"""

import shlex
import sys
from collections.abc import Callable, Sequence

from lab.running.fault_injection import partitionable
from lab.running.lab import RunningLab
from lab.workspace import ROOT, Workspace

MACHINE = "a machine: etcd-0, api-1, or an instance id"
UNIT = "a systemd unit: etcd, kube-apiserver, kube-scheduler, node-reconcile, ..."
PARTITIONABLE = "a zone, or aws, or downloads"

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


def words(
    before: Sequence[str], commands: Sequence[str], lab: Callable[[], RunningLab]
) -> list[str]:
    """What may come after these words; `lab` is asked only where names of it may."""
    if not before:
        return list(commands)
    command, place = before[0], len(before)
    if place == 1 and command in FIRST:
        return list(lab().nodes())
    if place == 2 and command in SECOND:
        return list(UNITS)
    if place == 1 and command == "partition":
        return partitionable(lab().account())
    return []
