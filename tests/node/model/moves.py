"""What can happen next in the model: steps of the agent, of etcd, of fate and of a person."""

from collections.abc import Iterator
from dataclasses import replace

from node.etcd import member_plan, membership_plan
from node.etcd.member_status import Report
from node.etcd.members import Entry, at, quorum
from tests.node.model.world import NOTHING, Machine, World, member


class ViolationError(Exception):
    """The program did what it must never do."""


Move = tuple[str, World]


def program(world: World) -> Iterator[Move]:
    """The steps that the program takes when it reads what is true and nothing stops it."""
    for number in range(len(world.machines)):
        for _, label, after in _node(world, number, world.desired, world.entries):
            yield label, after
    yield from _leader(world, world.desired, _reports(world)[:1])


def odd(world: World) -> Iterator[Move]:
    """The steps that it takes on an old answer, or that are cut off in the middle."""
    worse = replace(world, oddities=world.oddities + 1)
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
    yield from _take(world, number, member_plan.decide(_state(world, number, desired, told)))


def _state(
    world: World, number: int, desired: tuple[int, ...], told: tuple[Entry, ...]
) -> member_plan.State:
    machine, me = world.machines[number], member(number)
    others = any(world.alive(e) for e in world.entries if e.address != me.address)
    reads = {n: m.reads[1] for n, m in enumerate(world.machines)}
    return member_plan.State(
        name=me.name,
        address=me.address,
        disk="initialised" if machine.disk else "empty",
        formation=world.marker(),
        desired=tuple(member(n) for n in desired),
        running=machine.running,
        removed=machine.removed,
        entries=world.entries if machine.running and world.has_quorum else None,
        peers=told if others else None,
        used=reads[number],
        starting=machine.starting,
        token=world.token if machine.disk else None,
        reported=()
        if others
        else tuple(member(n).name for n, id_ in reads.items() if id_ and n != number),
    )


def _take(world: World, number: int, step: member_plan.Step) -> Iterator[tuple[bool, str, World]]:
    machine, name = world.machines[number], member(number).name
    match step:
        case member_plan.Wait():
            if machine.starting and machine.disk:
                yield True, f"{name} is started", world.machine(number, starting=False)
        case member_plan.Ask(lost):
            said = replace(machine, starting=False).say(("empty", lost))
            yield True, f"{name} asks, {lost} lost", _with(world, number, said)
        case member_plan.Leave(used):
            said = replace(machine, starting=False).say(("left", used))
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
            yield True, f"{name} sets the marker right", replace(world, stands="right")
        case member_plan.Form() | member_plan.Restore():
            raise ViolationError(f"{name} forms a second cluster")
        case member_plan.SetAside():
            raise ViolationError(f"{name} sets data of the cluster aside")


def _join(world: World, number: int, wanted: Entry) -> Iterator[tuple[bool, str, World]]:
    """Declared, then cluster.env written, then started: it may be cut off after each."""
    name, entry = member(number).name, at(member(number).address, world.entries)
    declared = world.machines[number].say(("joining", wanted.id))
    yield False, f"{name} declares {wanted.id}, stopped", _with(world, number, declared)
    starting = _with(world, number, replace(declared, starting=True))
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
    return replace(world, machines=tuple(machines))


def _leader(
    world: World, desired: tuple[int, ...], readings: list[dict[str, Report]]
) -> Iterator[Move]:
    """Any voter that runs may be the leader: elections are etcd's to decide."""
    if not world.has_quorum:
        return
    for leader in world.voters:
        if not world.alive(leader):
            continue
        for reports in readings:
            seen = membership_plan.Cluster(
                me=leader.id,
                entries=world.entries,
                connected=world.connected,
                desired=tuple(member(n) for n in desired),
                reports=reports,
            )
            yield from _make(world, membership_plan.decide(seen))


def _reports(world: World) -> list[dict[str, Report]]:
    """What a leader's node may read: the last reports first, then with an old one of one node,
    and all of it as if it had been said long ago."""
    last = {member(n).name: machine.reads for n, machine in enumerate(world.machines)}
    readings = [
        last,
        *(
            {**last, member(n).name: machine.said_before}
            for n, machine in enumerate(world.machines)
            if machine.said_before != machine.said
        ),
    ]
    return [
        {name: Report(state, id_, fresh) for name, (state, id_) in said.items()}
        for fresh in (True, False)
        for said in readings
    ]


def _make(world: World, decision: membership_plan.Change) -> Iterator[Move]:
    match decision:
        case membership_plan.Add(wanted):
            learners = [e for e in world.entries if not e.voter]
            if learners or at(wanted.address, world.entries):
                raise ViolationError(f"adds {wanted.name}, which etcd refuses")
            added = Entry(f"{world.issued:x}", "", wanted.address, voter=False, started=False)
            after = replace(world, issued=world.issued + 1).change((*world.entries, added))
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
            yield f"{name} publishes its name", replace(world, entries=entries)
        said = ("member" if entry.voter else "joining", machine.disk)
        if said != machine.said or machine.old is not None:
            yield f"{name} reports", _with(world, number, machine.say(said))


def fate(world: World) -> Iterator[Move]:
    """Crashes and lost disks."""
    fallen = replace(world, faults=world.faults + 1)
    for number, machine in enumerate(world.machines):
        name = member(number).name
        if machine.running:
            yield f"{name} loses power", fallen.machine(number, running=False, starting=False)
        if machine.disk:
            blank = fallen.machine(number, running=False, removed=False, starting=False, disk="")
            yield f"{name} loses its disk", replace(blank, lost=world.lost | {machine.disk})
        elif machine.starting:
            yield f"{name} reboots", fallen.machine(number, starting=False)


def person(world: World, sizes: tuple[int, ...]) -> Iterator[Move]:
    """Another size is configured; the addresses of a size are always the same."""
    for size in sizes:
        desired = tuple(range(size))
        if desired != world.desired and size <= len(world.machines):
            yield (
                f"size {size}",
                replace(
                    world,
                    desired=desired,
                    desired_before=world.desired,
                    resizes=world.resizes + 1,
                ),
            )


def pulumi(world: World) -> Iterator[Move]:
    """Something besides a value changes, and the old value comes with it; or the marker is made again
    after it was deleted."""
    again = replace(world, rewrites=world.rewrites + 1)
    for stands in ("old", "recreated"):
        if world.stands == "right":
            yield f"the marker is {stands}", replace(again, stands=stands)
    for number, machine in enumerate(world.machines):
        for old in {NOTHING, machine.said_before} - {machine.said}:
            yield (
                f"the status of {member(number).name} is {old} again",
                again.machine(number, old=old),
            )
