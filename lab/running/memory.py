"""Memory of a lab: the shares (PSS) of its processes, so that what they have in common counts
once."""

from collections.abc import Iterable

import psutil

from lab.machines.cgroups import hierarchies
from lab.machines.lab_names import MARK
from lab.processes import marked
from lab.running.lab import RunningLab

MIB = 1 << 20


def memory(lab: RunningLab) -> dict[str, int]:
    """MiB by part: each machine by name, the AWS emulator, and what runs the machines."""
    parts = {
        node.name: _of(_machine(lab.names.prefix, node.instance.id))
        for node in lab.nodes().values()
    }
    machines = {
        pid for node in lab.nodes().values() for pid in _machine(lab.names.prefix, node.instance.id)
    }
    rest = {one.pid for one in marked(MARK, str(lab.workspace.state))} - machines
    parts["AWS emulator"] = _of({lab.server.identity.pid})
    parts["network and machines' daemon"] = _of(rest)
    return parts


def _machine(prefix: str, instance: str) -> set[int]:
    """Ids of the processes in a machine's control groups."""
    found: set[int] = set()
    for root in hierarchies():
        for file in (root / prefix / instance).rglob("cgroup.procs"):
            try:
                found |= {int(line) for line in file.read_text(encoding="utf-8").split()}
            except OSError:
                continue
    return found


def _of(pids: Iterable[int]) -> int:
    """MiB."""
    return sum(map(_share, pids)) // MIB


def _share(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().pss)
    except psutil.Error:
        return 0
