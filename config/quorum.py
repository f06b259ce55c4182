"""Quorum arithmetic of an etcd tier: how many members, and how many zones, may fail."""

from dataclasses import dataclass
from functools import cached_property

ALLOWED_SIZES = (1, 3, 5, 7)


@dataclass(frozen=True)
class Quorum:
    """An etcd tier of `size` voting members over `zones` zones.

    A write needs a majority of all members (etcd FAQ, "What is failure tolerance?").
    """

    size: int
    zones: int
    placed: tuple[int, ...] | None = None
    """Members in each zone, where they are known; spread round-robin otherwise."""

    @property
    def quorum(self) -> int:
        """Members that must be up for a write: half of them, rounded down, plus one."""
        return self.size // 2 + 1

    @property
    def members_that_may_fail(self) -> int:
        """Members that may be lost while writes go on."""
        return self.size - self.quorum

    @cached_property
    def members_per_zone(self) -> tuple[int, ...]:
        """Members in each zone, in the order of the zones; the first zones hold the remainder."""
        if self.placed is not None:
            return self.placed
        share, remainder = divmod(self.size, self.zones)
        return tuple(share + (zone < remainder) for zone in range(self.zones))

    @property
    def zones_that_may_fail(self) -> int:
        """Zones that may be lost at once, whichever they are, while writes go on."""
        survivors, lost = self.size, 0
        for members in sorted(self.members_per_zone, reverse=True):
            survivors -= members
            if survivors < self.quorum:
                break
            lost += 1
        return lost

    def describe(self) -> str:
        """One line for people, printed by every preview."""
        spread = "-".join(str(members) for members in self.members_per_zone)
        return (
            f"etcd: {self.size} member{'s' * (self.size > 1)} over {self.zones} zones ({spread}), "
            f"quorum {self.quorum}: {self.members_that_may_fail} member(s) or "
            f"{self.zones_that_may_fail} zone(s) may fail"
        )


def size_problem(size: int) -> str | None:
    """Say why `size` is no size for an etcd tier, or None when it is one of 1, 3, 5, 7.

    More than seven members slow every write, which goes to all of them (etcd FAQ, "What is
    maximum cluster size?"; `python -m lab.tests.figures replication`).
    """
    if size in ALLOWED_SIZES:
        return None
    if size < 1:
        return "must be 1, 3, 5 or 7"
    if size > max(ALLOWED_SIZES):
        return (
            "must be at most 7: every write is replicated to every member, so more members make "
            "writes slower; must be 1, 3, 5 or 7"
        )
    smaller = Quorum(size - 1, 1)
    even = Quorum(size, 1)
    return (
        f"must be odd (1, 3, 5 or 7): {size} members need a quorum of {even.quorum} and survive "
        f"{even.members_that_may_fail} failure(s), no more than {smaller.size} members with a "
        f"quorum of {smaller.quorum}, which survive {smaller.members_that_may_fail}"
    )
