import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.gates.server_rules import server_may_go, target_may_go
from components.gates.verdict import Pass, Wait

STATES = ["healthy", "unhealthy", "initial", "draining", "unused", "unavailable"]


def states(*given):
    return {f"10.0.0.{number}": state for number, state in enumerate(given)}


@pytest.mark.parametrize(
    ("size", "given", "passes"),
    [
        (1, ["healthy"], False),
        (1, ["healthy", "healthy"], True),
        (2, ["healthy", "healthy"], True),
        (2, ["unhealthy", "healthy"], True),
        (2, ["healthy", "initial"], False),
        (3, ["healthy", "healthy", "healthy"], True),
        (3, ["healthy", "healthy", "draining"], False),
        (3, ["healthy", "healthy", "unhealthy", "healthy"], True),
        (3, [], False),
    ],
)
def test_all_but_one_of_the_wanted_are_healthy_without_it(size, given, passes):
    verdict = target_may_go(states(*given), "10.0.0.0", size=size)
    assert isinstance(verdict, Pass) is passes


def test_what_is_missing_is_told():
    verdict = target_may_go(states("healthy", "initial", "healthy"), "10.0.0.0", size=3)
    assert verdict == Wait(
        ("1 of the other API servers are healthy, 2 must be (10.0.0.1 is initial)",)
    )
    assert str(target_may_go({}, "10.0.0.0", size=2)) == (
        "0 of the other API servers are healthy, 1 must be"
    )


@pytest.mark.parametrize("state", STATES)
def test_a_machine_stays_while_the_balancer_knows_it(state):
    found = {"10.0.0.9": state, **states("healthy", "healthy", "healthy")}
    assert server_may_go(found, "10.0.0.9", size=3) == Wait(
        (f"its target 10.0.0.9 is not drained yet ({state})",)
    )
    del found["10.0.0.9"]
    assert isinstance(server_may_go(found, "10.0.0.9", size=3), Pass)


def test_a_drained_machine_stays_while_the_others_are_too_few():
    assert isinstance(server_may_go(states("healthy"), "10.0.0.9", size=3), Wait)


@given(
    st.dictionaries(st.sampled_from([f"10.0.0.{n}" for n in range(18)]), st.sampled_from(STATES)),
    st.integers(1, 9),
    st.sampled_from([f"10.0.0.{n}" for n in range(18)]),
)
def test_enough_are_left_whenever_one_goes(found, size, address):
    left = sum(state == "healthy" for other, state in found.items() if other != address)
    passes = isinstance(target_may_go(found, address, size=size), Pass)
    assert passes == (left >= max(1, size - 1))
    if isinstance(server_may_go(found, address, size=size), Pass):
        assert passes
        assert address not in found
