"""Real etcd members come and go between all sizes, under a client that writes.

etcd knows no change but of one member. The walk has every one of them, from one member to seven and
back; that each size becomes each other by these alone is the model's to say.
"""

import itertools

import pytest

from tests.node.model.state_search import undisturbed
from tests.node.model.world import formed
from tests.node.resizing import walk

SIZES = (1, 3, 5, 7)
WALK = (1, 3, 7, 5, 1)
"""By two members and by four, from one and to one."""


@pytest.mark.parametrize(("before", "after"), list(itertools.permutations(SIZES, 2)))
def test_every_size_becomes_every_other_by_one_member_at_a_time(before, after):
    world = formed(before, max(SIZES))._replace(desired=tuple(range(after)))
    sizes = [before]
    while not world.settled:
        following = undisturbed(world)
        assert following != world
        world = following
        if len(world.entries) != sizes[-1]:
            sizes.append(len(world.entries))
    step = 1 if after > before else -1
    assert sizes == list(range(before, after + step, step))


def test_a_tier_grows_and_shrinks(etcd_tier):
    changes = list(walk(etcd_tier, WALK))
    assert [(change.before, change.after) for change in changes] == list(itertools.pairwise(WALK))
    for change in changes:
        assert change.lost == set(), change
        assert change.failed == 0, change
        assert change.largest <= max(change.before, change.after)
        assert change.writes > 0, change
