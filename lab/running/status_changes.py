"""What happened between two looks at the machines. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from lab.running import workers_table
from lab.running.node_names import tier
from lab.running.node_snapshot import LEADERS, NodeSnapshot
from lab.running.table import SHORT, api_says, it_says, leads

NOBODY = "nobody"


@dataclass(frozen=True)
class Facts:
    """What is compared of one look. A revision is not: it changes all the time."""

    names: Mapping[str, str]
    """By instance id: a successor gets its predecessor's name when that one is gone."""
    api: Mapping[str, str]
    """What the API says, by instance id: state, status check, target health."""
    machines: Mapping[str, str]
    """What each machine says of itself, by instance id."""
    leaders: Mapping[str, str]
    """Who leads etcd and each controller."""
    members: Mapping[str, str]
    """Role of each etcd member by name."""


def facts(snapshots: Sequence[NodeSnapshot], before: Facts | None = None) -> Facts:
    """The facts of one look; the members are those of `before` while no leader confirms any."""
    ids = [(one.node.instance.id, one) for one in snapshots]
    led = {what: _leaders(snapshots, what) for what in ("etcd", *map(SHORT.__getitem__, LEADERS))}
    return Facts(
        names={id_: one.node.name for id_, one in ids},
        api={id_: api_says(one)[0] for id_, one in ids},
        machines={id_: _says(one) for id_, one in ids},
        leaders=led,
        members=_members(snapshots) or (before.members if before else {}),
    )


def changes(before: Facts, after: Facts) -> list[str]:
    """What happened, a phrase each: machines, then members, then leaders."""
    return [
        *_machines(before, after),
        *_memberships(before.members, after.members),
        *_leaderships(before.leaders, after.leaders),
    ]


def _says(snapshot: NodeSnapshot) -> str:
    worker = tier(snapshot.node.name) == "worker"
    return (workers_table.it_says if worker else it_says)(snapshot)[0]


def _machines(before: Facts, after: Facts) -> Iterator[str]:
    for id_, name in before.names.items():
        if id_ not in after.names:
            yield f"{name}: gone"
    for id_, name in after.names.items():
        if after.api[id_] != before.api.get(id_):
            yield f"{name}: API says {after.api[id_]}"
        if after.machines[id_] != before.machines.get(id_):
            yield f"{name}: {after.machines[id_]}"


def _memberships(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    if not before:  # nobody knew them
        return
    for name, role in before.items():
        if name not in after:
            yield f"{name} left etcd, where it was a {role}"
    for name, role in after.items():
        if name not in before:
            yield f"{name} joined etcd as a {role}"
        elif role != before[name]:
            yield f"{name} was promoted to {role}"


def _leaderships(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for what, who in after.items():
        if who != before[what]:
            yield f"{who} {'lead' if ' and ' in who else 'leads'} {what}"


def _leaders(snapshots: Iterable[NodeSnapshot], what: str) -> str:
    return " and ".join(one.node.name for one in snapshots if what in leads(one)) or NOBODY


def _members(snapshots: Iterable[NodeSnapshot]) -> dict[str, str]:
    """As the member with the newest view has them.

    One that never started has its id for a name, and counts from when it has one of its own.
    """
    views = [one.etcd for one in snapshots if one.etcd and one.etcd.members]
    if not views:
        return {}
    newest = max(views, key=lambda member: (member.leader, member.revision))
    return {name: role for name, role in (newest.members or {}).items() if tier(name) == "etcd"}
