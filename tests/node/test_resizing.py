"""Real etcd members come and go between every pair of sizes, under a client that writes."""

import itertools

from tests.node.resizing import WALK, walk


def test_the_walk_goes_from_every_size_to_every_other_once():
    steps = list(itertools.pairwise(WALK))
    assert sorted(steps) == sorted(itertools.permutations((1, 3, 5, 7), 2))


def test_a_tier_grows_and_shrinks_between_every_pair_of_sizes(etcd_tier):
    changes = list(walk(etcd_tier))
    assert [(change.before, change.after) for change in changes] == list(itertools.pairwise(WALK))
    for change in changes:
        assert change.lost == set(), change
        assert change.failed == 0, change
        assert change.largest <= max(change.before, change.after)
        assert change.writes > 0, change
