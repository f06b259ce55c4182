"""Placement: the zone of every node and of every block of addresses. Pure.

What was chosen once stays chosen. The record of a cluster (record.py) names the zones that it was
built in, so neither another size nor a zone more, nor a zone that AWS does not list today, moves a
node or a subnet that exists.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from config import ClusterSettings
from config.network import MAX_ZONES
from config.quorum import Quorum


@dataclass(frozen=True)
class Placement:
    """Where nodes and subnets are."""

    slots: Mapping[str, int]
    """Place of each zone in the address plan, by zone name."""
    nodes: Mapping[str, str]
    """Zone of each node, by node name."""

    @property
    def zones(self) -> tuple[str, ...]:
        """Names of the zones, in the order of the address plan."""
        return tuple(sorted(self.slots, key=self.slots.__getitem__))

    def quorum(self, settings: ClusterSettings) -> Quorum:
        """The quorum arithmetic of the members where they are, which may be less even than where
        they would be put today."""
        members = Counter(self.nodes[name] for name in member_names(settings))
        placed = tuple(members[zone] for zone in self.zones)
        return Quorum(settings.etcd.size, len(self.zones), placed)


def member_names(settings: ClusterSettings) -> tuple[str, ...]:
    """Names of the etcd members of the configured size."""
    return tuple(f"etcd-{number}" for number in range(settings.etcd.size))


def api_server_names(settings: ClusterSettings) -> tuple[str, ...]:
    """Names of the API servers of the configured size."""
    return tuple(f"api-{number}" for number in range(settings.api.size))


def choose_zones(
    wanted: int | Iterable[str], recorded: Mapping[str, int], offered: Sequence[str]
) -> dict[str, int]:
    """The zones of a cluster, each with its slot in the address plan.

    Zones of the record come first and keep their slots. New ones get slots that no zone of the
    record has, as long as there are some: the subnets of a zone that is given up still exist when
    those of its successor are made. A number larger than what is offered yields fewer zones.
    """
    known = sorted(recorded, key=recorded.__getitem__)
    if isinstance(wanted, int):
        names = [*known, *(zone for zone in offered if zone not in recorded)][:wanted]
    else:
        asked = list(wanted)
        names = [zone for zone in known if zone in asked]
        names += [zone for zone in asked if zone not in recorded]
    slots = {zone: recorded[zone] for zone in names if zone in recorded}
    free = [slot for slot in range(MAX_ZONES) if slot not in recorded.values()]
    free += [slot for slot in sorted(recorded.values()) if slot not in slots.values()]
    return slots | dict(zip((zone for zone in names if zone not in recorded), free, strict=False))


def place(
    nodes: Sequence[str], zones: Sequence[str], recorded: Mapping[str, str]
) -> dict[str, str]:
    """The zone of each node: the recorded one, or else the zone with the fewest nodes.

    A node whose zone is not among `zones` is placed like a new one.
    """
    placed = {node: recorded[node] for node in nodes if recorded.get(node) in zones}
    load = Counter(placed.values())
    for node in nodes:
        if node not in placed:
            placed[node] = min(zones, key=lambda zone: load[zone])
            load[placed[node]] += 1
    return {node: placed[node] for node in nodes}


def placement(
    settings: ClusterSettings, slots: Mapping[str, int], recorded: Mapping[str, str]
) -> Placement:
    """Every node of the configured sizes in a zone of `slots`, etcd and API servers each evenly."""
    zones = sorted(slots, key=slots.__getitem__)
    members = place(member_names(settings), zones, recorded)
    return Placement(slots, members | place(api_server_names(settings), zones, recorded))
