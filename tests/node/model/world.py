"""A model of an etcd tier: etcd's membership rules, disks, machines, and what Parameter Store holds.

What the model takes as given: the leader's list of connections is true at the moment of a decision.
Everything else may be old: the desired members, the reports of others, the list that a peer tells;
and at any moment Pulumi may write back what the marker or a status once was, or make the marker again
after somebody deleted it.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cache, cached_property
from typing import Any, Literal, NamedTuple, Self, TypeVar, cast

from node import owned
from node.etcd.members import Entry, quorum
from node.membership import Formation, Member, formation

Rule = TypeVar("Rule", bound=Callable[..., Any])

Said = tuple[str, str | None]
"""A report: state and member id."""

NOTHING: Said = ("waiting", None)

Written = Literal["right", "old", "recreated"]
"""What stands in a parameter: what a node wrote last, an old value, or the first one in a new
parameter."""


_KNOWN: list[Any] = []


def kept(rule: Rule) -> Rule:
    """A rule of the program that answers each question once; tests that change rules `forget`."""
    known = cache(rule)
    _KNOWN.append(known)
    return cast(Rule, known)


def forget() -> None:
    """Have the program asked again."""
    for known in _KNOWN:
        known.cache_clear()


@cache
def member(number: int) -> Member:
    """A node by its number, as the parameters have it."""
    return Member(f"etcd-{number}", f"10.0.0.{10 + number}")


NUMBERS = {member(number).address: number for number in range(10)}


class Machine(NamedTuple):
    """One node: its disk, its etcd, what it said."""

    disk: str = ""
    """The member id that the disk holds; empty for a blank one."""
    running: bool = False
    removed: bool = False
    """Whether etcd ended because a peer said that it was removed."""
    starting: bool = False
    """Whether cluster.env is there."""
    said: Said = NOTHING
    said_before: Said = NOTHING
    old: Said | None = None
    """The old status that stands in the place of the last one."""

    def say(self, said: Said) -> Self:
        """Report; the former report stays readable for those who get an old answer."""
        if said == self.said:
            return self._replace(old=None)
        return self._replace(said=said, said_before=self.said, old=None)

    @property
    def reads(self) -> Said:
        """What is read as its last status, by the program's own rule."""
        return newest(self.said, self.old)


class Moment(NamedTuple):
    """What tells one world from another."""

    machines: tuple[Machine, ...]
    entries: tuple[Entry, ...]
    entries_before: tuple[Entry, ...]
    """What a peer that is a little behind tells."""
    desired: tuple[int, ...]
    desired_before: tuple[int, ...]
    lost: frozenset[str] = frozenset()
    """Ids of members whose disk is gone."""
    issued: int = 0
    faults: int = 0
    oddities: int = 0
    """Old answers and interruptions so far."""
    resizes: int = 0
    rewrites: int = 0
    """Values that Pulumi has written back so far."""
    stands: Written = "right"
    """What stands in the marker's parameter."""
    restored: bool = False
    """Whether the cluster was founded again from a snapshot, long ago."""
    founders: int = 1


class World(Moment):
    """The tier at one moment. Of tuples, and what follows from them is kept: there are many."""

    @property
    def token(self) -> str:
        """The cluster token of every disk."""
        return token(restored=self.restored)

    def number(self, entry: Entry) -> int:
        """The node that a member lives on."""
        return NUMBERS[entry.address]

    def machine(self, number: int, **changes: object) -> Self:
        """The world with a changed machine."""
        machines = list(self.machines)
        machines[number] = machines[number]._replace(**changes)
        return self._replace(machines=tuple(machines))

    def alive(self, entry: Entry) -> bool:
        """Whether the member itself runs, on the disk that belongs to it."""
        machine = self.machines[self.number(entry)]
        return machine.running and machine.disk == entry.id

    @cached_property
    def voters(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.voter)

    @cached_property
    def connected(self) -> frozenset[str]:
        return frozenset(entry.id for entry in self.entries if self.alive(entry))

    @cached_property
    def healthy_voters(self) -> int:
        return sum(self.alive(entry) for entry in self.voters)

    @cached_property
    def has_quorum(self) -> bool:
        return self.healthy_voters >= quorum(len(self.voters))

    def change(self, entries: Iterable[Entry]) -> Self:
        """The world after etcd agreed on another membership."""
        return self._replace(entries=tuple(entries), entries_before=self.entries)

    @property
    def settled(self) -> bool:
        """Whether the desired members are the members, all of them voters that run."""
        return {self.number(e) for e in self.voters if self.alive(e)} == set(self.desired) and len(
            self.entries
        ) == len(self.desired)


def token(*, restored: bool) -> str:
    """The cluster token of a world's disks."""
    return "second" if restored else "first"


@kept
def newest(said: Said, old: Said | None) -> Said:
    """What is read as the last status, by the program's own rule."""
    history = [owned.Version(8, {"said": said, owned.VERSION: 8})]
    if old is not None:
        history.append(owned.Version(9, {"said": old, owned.VERSION: 7}))
    found = owned.newest(history)
    return found.document["said"] if found else NOTHING


@kept
def marker(founders: int, stands: str, *, restored: bool) -> Formation | None:
    """What is read as the marker of a world, by the program's own rule."""
    listed = tuple(member(number) for number in range(founders))
    first = Formation(formed=False, token="first", members=listed)
    order = replace(first, token="second", snapshot="x", superseded=("first",))
    markers = [first, replace(first, formed=True)]
    markers += [order, replace(order, formed=True)] if restored else []
    said = [owned.numbered(m.document(), n) for n, m in enumerate(markers, owned.FIRST)]
    history = [owned.Version(n, document) for n, document in enumerate(said, owned.FIRST)]
    if stands == "recreated":
        history = history[:1]
    if stands == "old":
        # What was there before it was formed: after a restore, the order to restore.
        history.append(owned.Version(len(said) + 1, said[-2]))
    found = owned.newest(history)
    return formation(found.document) if found else None


def formed(size: int, machines: int, *, restored: bool = False) -> World:
    """A healthy cluster of the first so many nodes, which founded it; the others are blank."""
    entries = tuple(
        Entry(f"{n:x}", member(n).name, member(n).address, voter=True, started=True)
        for n in range(size)
    )
    nodes = tuple(
        Machine(disk=f"{n:x}", running=True, said=("member", f"{n:x}")) if n < size else Machine()
        for n in range(machines)
    )
    desired = tuple(range(size))
    return World(
        nodes,
        entries,
        entries,
        desired,
        desired,
        issued=machines,
        restored=restored,
        founders=size,
    )
