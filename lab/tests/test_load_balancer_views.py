"""What a load balancer says of its targets, and where its name leads."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lab.machines.load_balancer.node_views import addresses, agreed, target_states
from lab.tests.load_balancer_samples import GROUP, ONE, OTHER, ZONES, load_balancer, node

STATES = ("initial", "healthy", "unhealthy", "unhealthy.draining")


@pytest.mark.parametrize(
    ("said", "state"),
    [
        (["healthy"], "healthy"),
        (["initial"], "initial"),
        (["unhealthy"], "unhealthy"),
        (["healthy", "healthy", "unhealthy"], "healthy"),
        (["healthy", "unhealthy", "unhealthy.draining"], "unhealthy.draining"),
        (["healthy", "unhealthy"], "unhealthy"),
        (["healthy", "initial"], "initial"),
        (["healthy", "initial", "unhealthy"], "initial"),
    ],
)
def test_nodes_agree(said, state):
    assert agreed(said) == state


@settings(deadline=None)
@given(st.lists(st.sampled_from(STATES), min_size=1, max_size=7))
def test_healthy_is_never_what_half_of_them_deny(said):
    state = agreed(said)
    assert state in STATES
    assert (state == "healthy") == (said.count("healthy") > len(said) - said.count("healthy"))


def test_a_target_that_no_node_sends_to_is_not_in_use():
    views = [{"api": {ONE.name: "healthy"}}, {"api": {}}]
    assert target_states(GROUP, views) == {ONE.name: "healthy", OTHER.name: "unused"}


HERE, THERE = node(0).address, node(1).address
WELL, ILL = {"api": {ONE.name: "healthy"}}, {"api": {ONE.name: "unhealthy"}}


@pytest.mark.parametrize(
    ("views", "cut", "found"),
    [
        ((WELL, WELL), (), (HERE, THERE)),
        ((WELL, ILL), (), (HERE,)),
        # AWS fails open: every address rather than none.
        ((ILL, ILL), (), (HERE, THERE)),
        ((WELL, WELL), (ZONES[0],), (THERE,)),
        ((WELL, ILL), (ZONES[0],), (HERE, THERE)),
        ((WELL, {}), (), (HERE,)),
    ],
)
def test_the_name_leads_to_nodes_that_can_serve(views, cut, found):
    named = {node(index).id: view for index, view in enumerate(views)}
    assert addresses(load_balancer(), named, cut) == found


def test_more_healthy_targets_may_be_asked_for():
    named = {node(0).id: WELL, node(1).id: {"api": {ONE.name: "healthy", OTHER.name: "healthy"}}}
    assert addresses(load_balancer(fewest_in_dns=2), named, ()) == (THERE,)
