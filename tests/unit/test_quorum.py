import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.quorum import ALLOWED_SIZES, Quorum, size_problem


@pytest.mark.parametrize(
    ("size", "quorum", "members", "spread", "zones"),
    [
        (1, 1, 0, (1, 0, 0), 0),
        (3, 2, 1, (1, 1, 1), 1),
        (5, 3, 2, (2, 2, 1), 1),
        (7, 4, 3, (3, 2, 2), 1),
    ],
)
def test_three_zones(size, quorum, members, spread, zones):
    arithmetic = Quorum(size, 3)
    assert arithmetic.quorum == quorum
    assert arithmetic.members_that_may_fail == members
    assert arithmetic.members_per_zone == spread
    assert arithmetic.zones_that_may_fail == zones


@pytest.mark.parametrize("size", [3, 5, 7])
def test_no_size_survives_the_larger_of_two_zones(size):
    assert Quorum(size, 2).zones_that_may_fail == 0


def test_five_members_in_five_zones_survive_two_zones():
    assert Quorum(5, 5).zones_that_may_fail == 2


@given(size=st.sampled_from(ALLOWED_SIZES), zones=st.integers(2, 6))
def test_survivors_are_a_majority_and_one_loss_more_is_not(size, zones):
    arithmetic = Quorum(size, zones)
    assert sum(arithmetic.members_per_zone) == size
    assert max(arithmetic.members_per_zone) - min(arithmetic.members_per_zone) <= 1
    largest_first = sorted(arithmetic.members_per_zone, reverse=True)
    lost = arithmetic.zones_that_may_fail
    assert size - sum(largest_first[:lost]) > size / 2
    assert not size - sum(largest_first[: lost + 1]) > size / 2
    assert size - arithmetic.members_that_may_fail > size / 2
    assert not size - arithmetic.members_that_may_fail - 1 > size / 2


@pytest.mark.parametrize("size", ALLOWED_SIZES)
def test_allowed_sizes_have_no_problem(size):
    assert size_problem(size) is None


@pytest.mark.parametrize("size", [-3, 0])
def test_too_small(size):
    assert size_problem(size) == "must be 1, 3, 5 or 7"


def test_even_shows_the_arithmetic():
    problem = size_problem(4)
    assert problem is not None
    assert "4 members need a quorum of 3 and survive 1 failure(s)" in problem
    assert "no more than 3 members with a quorum of 2, which survive 1" in problem


@pytest.mark.parametrize("size", [8, 9, 11])
def test_above_seven_says_why(size):
    assert "every write is replicated to every member" in str(size_problem(size))


def test_description_names_size_quorum_and_failures():
    assert Quorum(5, 3).describe() == (
        "etcd: 5 members over 3 zones (2-2-1), quorum 3: 2 member(s) or 1 zone(s) may fail"
    )
