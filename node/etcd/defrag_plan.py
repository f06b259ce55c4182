"""Plan of defragmentation, whose turn it is: what a member sees in, the one next step out. Pure.

A member that defragments answers nobody meanwhile, so it is one at a time, and the leader last: it
would hold up everyone. The members agree through their reports in Parameter Store, not through a
lock in etcd. When the database is full, which is when it matters most, etcd grants no lease and
takes no write, so no lock can be had; and a lock's keep-alive would stop while its holder is
blocked. Everyone has the same reports and the same order, so at most one finds that it is its turn:

* members whose database is worth it go by name, the leader after all others;
* the one whose turn it is says "not healthy" in its report before it begins, and the truth after;
* nobody begins while a member of the cluster is not healthy, silent or a learner.
"""

from dataclasses import dataclass

MIB = 1 << 20

WORTH_SIZE = 100 * MIB
WORTH_SHARE = 0.5
"""Worth it: larger than this, and less than this share of it in use (etcd's own alerts,
contrib/mixin, etcdDatabaseHighFragmentationRatio)."""

FULL_SHARE = 0.9
"""When the database is full: worth it when no more of the file than this is in use."""


@dataclass(frozen=True)
class Database:
    """A member's database file, as it reports it, and whether it may be relied on now."""

    name: str
    leader: bool
    size: int
    """Bytes of the file."""
    in_use: int
    """Bytes of it that hold something."""
    trouble: str = ""
    """Why nobody should stand still now: silent, not healthy, a learner; empty when all is well."""


@dataclass(frozen=True)
class View:
    """What a member sees."""

    mine: Database
    others: tuple[Database, ...]
    quota: int
    """Bytes at which etcd takes no more writes; the same for all members."""
    full: bool
    """Whether the NOSPACE alarm is on."""


@dataclass(frozen=True)
class Defragment:
    """It is this member's turn."""


@dataclass(frozen=True)
class Compact:
    """Drop the history: mostly it is what fills a database.

    API servers cannot when the alarm is on, because their compaction begins with a write.
    """


@dataclass(frozen=True)
class Disarm:
    """The database is below its quota everywhere: writes may go on."""


@dataclass(frozen=True)
class Wait:
    """Others come first, or somebody is not well."""

    reason: str


@dataclass(frozen=True)
class Done:
    """Nothing to do for this member."""

    reason: str


Step = Defragment | Compact | Disarm | Wait | Done


def worth(database: Database, *, full: bool) -> bool:
    """Whether defragmentation would win much."""
    if full:
        return database.in_use <= FULL_SHARE * database.size
    return database.size > WORTH_SIZE and database.in_use < WORTH_SHARE * database.size


def decide(view: View, *, compacted: bool = False, defragmented: bool = False) -> Step:
    """The one next step; the flags say what this run has done already."""
    mine = view.mine
    if view.full and not compacted:
        return Compact()
    wins = worth(mine, full=view.full) and not defragmented
    if not wins and not (view.full and mine.leader):
        return Done(f"nothing to win: {_said(mine)}")
    for member in (mine, *view.others):
        if member.trouble:
            return Wait(f"{member.name} {member.trouble}")
    earlier = [
        other.name
        for other in view.others
        if worth(other, full=view.full)
        and (mine.leader or (other.name < mine.name and not other.leader))
    ]
    if earlier:
        return Wait(f"{min(earlier)} comes first")
    if wins:
        return Defragment()
    return _leader_of_a_full_cluster(view)


def _leader_of_a_full_cluster(view: View) -> Step:
    over = [d for d in (view.mine, *view.others) if d.size >= view.quota]
    if not over:
        return Disarm()
    return Done(
        f"the database stays full: {_said(over[0])} on {over[0].name}, of a quota of "
        f"{view.quota / MIB:.0f} MiB: delete keys, or raise etcd.quotaGib"
    )


def _said(database: Database) -> str:
    return f"{database.in_use / MIB:.1f} of {database.size / MIB:.1f} MiB in use"
