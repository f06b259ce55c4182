"""Steps of a run: each is taken, and what failed is told in its place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.errors import NodeError
from node.steps import taken


def _step(outcome):
    def step():
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return step


ERRORS = st.sampled_from([NodeError("no quorum"), OSError("disk is full")])


@given(st.lists(st.lists(st.sampled_from(["wrote ca.crt", "added a voter"]), max_size=2) | ERRORS))
def test_every_step_is_taken_and_told_in_its_place(outcomes):
    said = [
        line for one in outcomes for line in ([str(one)] if isinstance(one, Exception) else one)
    ]
    steps = [_step(one) for one in outcomes]
    if any(isinstance(one, Exception) for one in outcomes):
        with pytest.raises(NodeError) as failed:
            taken(steps)
        assert str(failed.value) == "; ".join(said)
    else:
        assert taken(steps) == said


def test_a_mistake_of_the_program_is_no_line():
    with pytest.raises(ZeroDivisionError):
        taken([_step(ZeroDivisionError())])
