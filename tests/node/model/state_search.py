"""Looks through the model: every reachable state within a budget, and whether each one can heal."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache

from node.etcd.members import Entry
from tests.node.model.moves import Move, etcd, fate, odd, person, program, pulumi
from tests.node.model.world import NOTHING, Said, World

NAMES = [f"{number:x}" for number in range(64)]
"""Ids in the order in which they are given: a world holds fewer."""

ROUNDS = 200
"""Moves within which a tier that nothing disturbs must be as desired."""


@dataclass(frozen=True)
class Budget:
    """How much may go wrong, and be changed, in one life."""

    faults: int = 0
    oddities: int = 0
    """Old answers, and steps that are cut off."""
    resizes: int = 0
    sizes: tuple[int, ...] = ()
    rewrites: int = 0
    """Values that Pulumi writes back."""


def moves(world: World, budget: Budget) -> Iterator[Move]:
    """Everything that can happen next."""
    yield from program(world)
    yield from etcd(world)
    if world.oddities < budget.oddities:
        yield from odd(world)
    if world.faults < budget.faults:
        yield from fate(world)
    if world.resizes < budget.resizes:
        yield from person(world, budget.sizes)
    if world.rewrites < budget.rewrites:
        yield from pulumi(world)


def canonical(world: World) -> World:
    """The same world with ids in the order in which they are met: how many were issued before
    makes no difference."""
    met: list[str | None] = []
    for machine in world.machines:
        met += (machine.disk, machine.said[1], machine.said_before[1])
        if machine.old:
            met.append(machine.old[1])
    met += [entry.id for entry in world.entries]
    met += [entry.id for entry in world.entries_before]
    ids = [id_ for id_ in dict.fromkeys(met) if id_]
    if world.issued == len(ids) and ids == NAMES[: len(ids)]:
        return world
    names: dict[str | None, str | None] = {
        **dict(zip(ids, NAMES, strict=False)),
        "": "",
        None: None,
    }

    def named(said: Said) -> Said:
        return (said[0], names[said[1]])

    return world._replace(
        machines=tuple(
            machine._replace(
                disk=names[machine.disk],
                said=named(machine.said),
                said_before=named(machine.said_before),
                old=machine.old and named(machine.old),
            )
            for machine in world.machines
        ),
        entries=tuple(_named(entry, names[entry.id]) for entry in world.entries),
        entries_before=tuple(_named(entry, names[entry.id]) for entry in world.entries_before),
        lost=frozenset(names[id_] for id_ in world.lost if id_ in names),
        issued=len(ids),
    )


@cache
def _named(entry: Entry, id_: str) -> Entry:
    """The entry under another id."""
    return replace(entry, id=id_)


def unread(world: World, budget: Budget) -> World:
    """The same world without the old answers that nobody can get any more."""
    if world.oddities < budget.oddities:
        return world
    # Pulumi still finds old reports in its own state.
    machines = world.machines
    if world.rewrites >= budget.rewrites:
        machines = tuple(machine._replace(said_before=NOTHING) for machine in machines)
    return world._replace(machines=machines, entries_before=world.entries)


def reachable(start: World, budget: Budget) -> dict[World, tuple[World, str] | None]:
    """Every state that can be reached, each with where it came from, for the story of a failure."""
    first = canonical(unread(start, budget))
    origin: dict[World, tuple[World, str] | None] = {first: None}
    queue = deque([first])
    while queue:
        world = queue.popleft()
        try:
            for label, following in moves(world, budget):
                after = canonical(unread(following, budget))
                if after not in origin:
                    origin[after] = (world, label)
                    queue.append(after)
        except Exception as error:
            error.add_note("\n".join(story(origin, world)))
            raise
    return origin


def story(origin: dict[World, tuple[World, str] | None], world: World) -> list[str]:
    """How a state came about."""
    told: list[str] = []
    step = origin[world]
    while step:
        told.append(step[1])
        step = origin[step[0]]
    return told[::-1]


def undisturbed(world: World) -> World:
    """What comes next when every node and etcd take their turns, and all answers are new.

    Of the moves of a node's step the last is the one that was not interrupted.
    """
    for part in (etcd, program):
        last = {label.split()[0]: after for label, after in part(world) if after != world}
        if last:
            world = next(iter(last.values()))
    return canonical(unread(world, Budget()))


def heals(world: World, known: set[World]) -> bool:
    """Whether an undisturbed tier ends as it is desired; `known` are states that do."""
    world = canonical(unread(world, Budget()))
    world = world._replace(faults=0, oddities=0, resizes=0, rewrites=0)
    path: list[World] = []
    for _ in range(ROUNDS):
        if world.settled or world in known:
            known.update(path)
            return True
        path.append(world)
        world = undisturbed(world)
        if world == path[-1]:
            break
    return False
