"""Faults of daemons, machines and network, and their end. One command at a time."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from lab.lab_errors import LabError
from lab.lock import exclusive
from lab.machines.network import router
from lab.machines.network.faults import SERVICES, Faults, apply_faults
from lab.running import inside
from lab.running.lab import RunningLab
from lab.running.node_names import Node

Change = Callable[[Faults], Faults]


def isolate(lab: RunningLab, node: Node) -> None:
    """Lose every packet to and from a machine; its link stays up."""
    _network(lab, lambda faults: replace(faults, isolated=_with(faults.isolated, node.instance.id)))


def isolate_from_peers(lab: RunningLab, node: Node) -> None:
    """Lose every packet between a member of etcd and its peers; its clients still reach it."""
    _network(lab, lambda faults: replace(faults, peerless=_with(faults.peerless, node.instance.id)))


def partition(lab: RunningLab, what: str) -> None:
    """Cut a zone off from everything else, or make one of SERVICES unreachable for all."""
    _network(lab, lambda faults: with_partition(faults, what))


def heal(lab: RunningLab) -> list[str]:
    """End all faults: network and power; what was ended, for people."""
    ended = described(Faults.load(lab.layout.faults), lab.nodes().values())
    _network(lab, lambda _: Faults())
    for node in lab.nodes().values():
        if lab.machine(node).power_cut.exists():
            lab.machine(node).restore_power()
            ended.append(f"{node.name} has power again")
    return ended


def power_cut(lab: RunningLab, node: Node) -> None:
    """Cut a machine's power, and keep it dark; the API goes on saying that it runs.

    Raises LabError when it is dark already.
    """
    machine = lab.machine(node)
    if machine.power_cut.exists():
        raise LabError(
            f"{node.name} has no power already: `python -m lab power-restore {node.name}`."
        )
    lab.init(node)
    machine.cut_power()
    # What AWS's own status check finds after a minute or two.
    lab.server.control.report(node.instance.id, None, reachable=False)


def power_restore(lab: RunningLab, node: Node) -> None:
    """Give a machine its power back; it boots. Raises LabError when it has power."""
    machine = lab.machine(node)
    if not machine.power_cut.exists():
        raise LabError(f"{node.name} has power: nothing to undo.")
    machine.restore_power()


def kill(lab: RunningLab, node: Node, service: str) -> int:
    """SIGKILL to the main process of a service; its process id in the machine.

    systemd does what the service's unit says. Raises LabError when it has no process.
    """
    init = lab.init(node)
    pid = inside.main_process(init, service)
    if pid == 0:
        raise LabError(f"{service} on {node.name} has no process to kill.")
    kill = ["systemctl", "kill", "--signal=KILL", "--kill-whom=main", f"{service}.service"]
    inside.output(init, kill)
    return pid


def with_partition(faults: Faults, what: str) -> Faults:
    """The faults with a zone or a service cut off as well. Pure."""
    if what in SERVICES:
        return replace(faults, unreachable=_with(faults.unreachable, what))
    return replace(faults, zones=_with(faults.zones, what))


def described(faults: Faults, nodes: Iterable[Node]) -> list[str]:
    """Faults of the network, a line each. Pure."""
    known = {node.instance.id: node.name for node in nodes}
    return [
        *(f"zone {zone} is cut off" for zone in faults.zones),
        *(f"{service} is unreachable for every machine" for service in faults.unreachable),
        *(f"{known.get(one, one)} is isolated" for one in faults.isolated),
        *(f"{known.get(one, one)} is isolated from its peers" for one in faults.peerless),
    ]


def _network(lab: RunningLab, change: Change) -> None:
    # Read, change, write: two at a time would lose one of the two.
    with exclusive(lab.layout.base / "faults.lock"):
        faults = change(Faults.load(lab.layout.faults))
        # Kept first: whatever boots from now on finds it.
        faults.save(lab.layout.faults)
        subnets = lab.account().subnets.values()
        apply_faults(lab.names, faults, subnets, router.links(lab.names))


def _with(values: tuple[str, ...], value: str) -> tuple[str, ...]:
    return values if value in values else (*values, value)
