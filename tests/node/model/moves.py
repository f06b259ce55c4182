"""What can happen next in the model: steps of the agent, of etcd, of fate and of a person."""

from collections.abc import Iterator
from dataclasses import replace

from node.etcd import member_plan, membership_plan
from node.etcd.member_status import Report
from node.etcd.members import Entry, at, quorum
from tests.node.model.world import (
    NOTHING,
    Machine,
    Said,
    World,
    kept,
    marker,
    member,
    token,
)


class ViolationError(Exception):
    """The program did what it must never do."""


Move = tuple[str, World]
Reading = tuple[tuple[Said, ...], bool]
"""Reports by the number of the node, and whether they are fresh."""


def program(world: World) -> Iterator[Move]:
    """The steps that the program takes when it reads what is true and nothing stops it."""
    for number in range(len(world.machines)):
        for _, label, after in _node(world, number, world.desired, world.entries):
            yield label, after
    yield from _leader(world, world.desired, _reports(world)[:1])


def odd(world: World) -> Iterator[Move]:
    """The steps that it takes on an old answer, or that are cut off in the middle."""
    worse = world._replace(oddities=world.oddities + 1)
    for number in range(len(world.machines)):
        for desired in {world.desired, world.desired_before}:
            for told in {world.entries, world.entries_before}:
                new = (desired, told) == (world.desired, world.entries)
                for whole, label, after in _node(worse, number, desired, told):
                    if not (new and whole):
                        yield label, after
    yield from _leader(worse, world.desired, _reports(world)[1:])
    if world.desired_before != world.desired:
        yield from _leader(worse, world.desired_before, _reports(world))


def _node(
    world: World, number: int, desired: tuple[int, ...], told: tuple[Entry, ...]
) -> Iterator[tuple[bool, str, World]]:
    """What one node can do, and whether it is a whole step."""
    machine, me = world.machines[number], member(number)
    others = any(e.id in world.connected and e.address != me.address for e in world.entries)
    step = _step(
        (
            number,
            machine.disk,
            machine.running,
            machine.removed,
            machine.starting,
            machine.reads[1],
        ),
        (
            world.entries if machine.running and world.has_quorum else None,
            told if others else None,
        ),
        desired,
        ()
        if others
        else tuple(n for n, m in enumerate(world.machines) if m.reads[1] and n != number),
        (world.founders, world.stands, world.restored),
    )
    yield from _take(world, number, step)


@kept
def _step(
    node: tuple[int, str, bool, bool, bool, str | None],
    lists: tuple[tuple[Entry, ...] | None, tuple[Entry, ...] | None],
    desired: tuple[int, ...],
    reported: tuple[int, ...],
    marked: tuple[int, str, bool],
) -> member_plan.Step:
    """What the program decides on a node: of many worlds it sees the same."""
    number, disk, running, removed, starting, used = node
    entries, peers = lists
    founders, stands, restored = marked
    return member_plan.decide(
        member_plan.State(
            name=member(number).name,
            address=member(number).address,
            disk="initialised" if disk else "empty",
            formation=marker(founders, stands, restored=restored),
            desired=tuple(member(n) for n in desired),
            running=running,
            removed=removed,
            entries=entries,
            peers=peers,
            used=used,
            starting=starting,
            token=token(restored=restored) if disk else None,
            reported=tuple(member(n).name for n in reported),
        )
    )


def _take(world: World, number: int, step: member_plan.Step) -> Iterator[tuple[bool, str, World]]:
    machine, name = world.machines[number], member(number).name
    match step:
        case member_plan.Wait():
            if machine.starting and machine.disk:
                yield True, f"{name} is started", world.machine(number, starting=False)
        case member_plan.Ask(lost):
            said = machine._replace(starting=False).say(("empty", lost))
            yield True, f"{name} asks, {lost} lost", _with(world, number, said)
        case member_plan.Leave(used):
            said = machine._replace(starting=False).say(("left", used))
            yield True, f"{name} has left", _with(world, number, said)
        case member_plan.Join(wanted):
            yield from _join(world, number, wanted)
        case member_plan.Start():
            started = world.machine(number, running=True, starting=False)
            yield True, f"{name} starts", started
        case member_plan.Discard():
            yield True, f"{name} discards {machine.disk}", _discard(world, number)
        case _:
            yield from _by_the_marker(world, name, step)


def _by_the_marker(
    world: World, name: str, step: member_plan.Step
) -> Iterator[tuple[bool, str, World]]:
    match step:
        case member_plan.MarkFormed(marker):
            if marker.token != world.token:
                raise ViolationError(f"{name} marks {marker.token}, and {world.token} is there")
            yield True, f"{name} sets the marker right", world._replace(stands="right")
        case member_plan.Form() | member_plan.Restore():
            raise ViolationError(f"{name} forms a second cluster")
        case member_plan.SetAside():
            raise ViolationError(f"{name} sets data of the cluster aside")


def _join(world: World, number: int, wanted: Entry) -> Iterator[tuple[bool, str, World]]:
    """Declared, then cluster.env written, then started: it may be cut off after each."""
    name, entry = member(number).name, at(member(number).address, world.entries)
    declared = world.machines[number].say(("joining", wanted.id))
    yield False, f"{name} declares {wanted.id}, stopped", _with(world, number, declared)
    starting = _with(world, number, declared._replace(starting=True))
    yield False, f"{name} writes cluster.env, stopped", starting
    if wanted.id in world.lost:
        raise ViolationError(f"{name} starts as {wanted.id}, whose disk is gone")
    # With a list that its peers do not have etcd ends before it writes anything.
    if entry is not None and entry.id == wanted.id:
        joined = starting.machine(number, disk=wanted.id, running=True)
        yield True, f"{name} joins as {wanted.id}", joined


def _discard(world: World, number: int) -> World:
    entry, disk = at(member(number).address, world.entries), world.machines[number].disk
    if entry is not None and entry.id == disk:
        raise ViolationError(f"{member(number).name} removes the data of {disk}, a member")
    return world.machine(number, disk="", removed=False, starting=False)


def _with(world: World, number: int, machine: Machine) -> World:
    machines = list(world.machines)
    machines[number] = machine
    return world._replace(machines=tuple(machines))


def _leader(world: World, desired: tuple[int, ...], readings: list[Reading]) -> Iterator[Move]:
    """Any voter that runs may be the leader: elections are etcd's to decide."""
    if not world.has_quorum:
        return
    changes = {
        _change(leader.id, world.entries, world.connected, desired, reading): None
        for leader in world.voters
        if leader.id in world.connected
        for reading in readings
    }
    for change in changes:
        yield from _make(world, change)


@kept
def _change(
    me: str,
    entries: tuple[Entry, ...],
    connected: frozenset[str],
    desired: tuple[int, ...],
    reading: Reading,
) -> membership_plan.Change:
    """What the program decides where a member leads: of many worlds it sees the same."""
    said, fresh = reading
    return membership_plan.decide(
        membership_plan.Cluster(
            me=me,
            entries=entries,
            connected=connected,
            desired=tuple(member(n) for n in desired),
            reports={
                member(n).name: Report(state, id_, fresh) for n, (state, id_) in enumerate(said)
            },
        )
    )


def _reports(world: World) -> list[Reading]:
    """What a leader's node may read: the last reports first, then with an old one of one node,
    and all of it as if it had been said long ago."""
    last = tuple(machine.reads for machine in world.machines)
    said = [
        last,
        *(
            (*last[:n], machine.said_before, *last[n + 1 :])
            for n, machine in enumerate(world.machines)
            if machine.said_before != machine.said
        ),
    ]
    return [(reading, fresh) for fresh in (True, False) for reading in said]


def _make(world: World, decision: membership_plan.Change) -> Iterator[Move]:
    match decision:
        case membership_plan.Add(wanted):
            learners = [e for e in world.entries if not e.voter]
            if learners or at(wanted.address, world.entries):
                raise ViolationError(f"adds {wanted.name}, which etcd refuses")
            added = Entry(f"{world.issued:x}", "", wanted.address, voter=False, started=False)
            after = world._replace(issued=world.issued + 1).change((*world.entries, added))
            yield f"{wanted.name} is added as {added.id}", after
        case membership_plan.Promote(entry):
            promoted = [replace(e, voter=True) if e == entry else e for e in world.entries]
            yield f"{entry.id} is promoted", _safe(world.change(promoted), f"promotes {entry.id}")
        case membership_plan.Remove(entry, reason):
            if entry.voter and world.number(entry) in world.desired and _has_disk(world, entry):
                raise ViolationError(f"removes {entry.id}, which is wanted and has its disk")
            rest = [e for e in world.entries if e != entry]
            yield (
                f"{entry.id} is removed: {reason}",
                _safe(world.change(rest), f"removes {entry.id}"),
            )
        case membership_plan.Transfer() | membership_plan.Pause() | membership_plan.Settled():
            return


def _has_disk(world: World, entry: Entry) -> bool:
    # On an old list of desired members it may seem unwanted; that costs a join, and no data.
    unwanted_once = world.number(entry) not in world.desired_before
    return world.machines[world.number(entry)].disk == entry.id and not unwanted_once


def _safe(after: World, what: str) -> World:
    """The leader had a quorum, so what it does must leave one."""
    if not after.has_quorum:
        raise ViolationError(
            f"{what}: {after.healthy_voters} healthy of {len(after.voters)} voters, and the quorum "
            f"is {quorum(len(after.voters))}"
        )
    return after


def etcd(world: World) -> Iterator[Move]:
    """What etcd and the report timer do by themselves."""
    for number, machine in enumerate(world.machines):
        name, entry = member(number).name, at(member(number).address, world.entries)
        if not machine.running:
            continue
        listed = entry is not None and entry.id == machine.disk
        if not listed:
            if world.connected:
                yield (
                    f"{name} learns that it was removed",
                    world.machine(number, running=False, removed=True),
                )
            continue
        assert entry is not None
        if not entry.started and world.has_quorum:
            named = replace(entry, name=name, started=True)
            entries = tuple(named if e == entry else e for e in world.entries)
            # The name travels in the log; the list that others tell is as old as before.
            yield f"{name} publishes its name", world._replace(entries=entries)
        said = ("member" if entry.voter else "joining", machine.disk)
        if said != machine.said or machine.old is not None:
            yield f"{name} reports", _with(world, number, machine.say(said))


def fate(world: World) -> Iterator[Move]:
    """Crashes and lost disks."""
    fallen = world._replace(faults=world.faults + 1)
    for number, machine in enumerate(world.machines):
        name = member(number).name
        if machine.running:
            yield f"{name} loses power", fallen.machine(number, running=False, starting=False)
        if machine.disk:
            blank = fallen.machine(number, running=False, removed=False, starting=False, disk="")
            yield f"{name} loses its disk", blank._replace(lost=world.lost | {machine.disk})
        elif machine.starting:
            yield f"{name} reboots", fallen.machine(number, starting=False)


def person(world: World, sizes: tuple[int, ...]) -> Iterator[Move]:
    """Another size is configured; the addresses of a size are always the same."""
    for size in sizes:
        desired = tuple(range(size))
        if desired != world.desired and size <= len(world.machines):
            yield (
                f"size {size}",
                world._replace(
                    desired=desired,
                    desired_before=world.desired,
                    resizes=world.resizes + 1,
                ),
            )


def pulumi(world: World) -> Iterator[Move]:
    """Something besides a value changes, and the old value comes with it; or the marker is made again
    after it was deleted."""
    again = world._replace(rewrites=world.rewrites + 1)
    for stands in ("old", "recreated"):
        if world.stands == "right":
            yield f"the marker is {stands}", again._replace(stands=stands)
    for number, machine in enumerate(world.machines):
        for old in {NOTHING, machine.said_before} - {machine.said}:
            yield (
                f"the status of {member(number).name} is {old} again",
                again.machine(number, old=old),
            )
