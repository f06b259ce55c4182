"""A tier's walk through its sizes, one change after the other, with what each did to a client."""

import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.node.etcd_tier import Tier
from tests.node.writer import Writer


@dataclass(frozen=True)
class Change:
    """A change of size under a client that writes steadily."""

    before: int
    after: int
    seconds: float
    longest_stall: float
    """Seconds that the slowest acknowledged write took, retries included."""
    writes: int
    failed: int
    lost: set[str]
    """Acknowledged writes that are not there."""
    largest: int
    """The most members that were listed at any time."""


def walk(tier: Tier, sizes: Sequence[int]) -> Iterator[Change]:
    """Form a cluster of the first size, then change it to each next one."""
    tier.form(sizes[0])
    with Writer(tier.gateway()) as writer:
        for before, after in itertools.pairwise(sizes):
            yield _change(tier, writer, before, after)


def _change(tier: Tier, writer: Writer, before: int, after: int) -> Change:
    writer.take()
    written = len(writer.acknowledged)
    counts: list[int] = []
    began = time.monotonic()

    def changed() -> bool:
        counts.append(len(tier.listed()))
        return tier.voters(range(after))

    tier.desire(*range(after))
    tier.boot(*range(before, after))
    tier.until(changed)
    leavers = range(after, before)
    # As the gates do: a machine goes once it said that it has left.
    tier.until(lambda: tier.left(*leavers))
    seconds = time.monotonic() - began
    tier.terminate(*leavers)
    longest, failed = writer.take()
    return Change(
        before,
        after,
        seconds,
        longest,
        len(writer.acknowledged) - written,
        failed,
        writer.lost(),
        max(counts),
    )
