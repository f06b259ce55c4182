"""Names for what the program leaves unnamed."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.engine.aws.autoname import (
    DEFAULTS,
    DESCRIPTION,
    SPECIAL,
    Autoname,
    filled_in,
    generated_name,
    name_is_fixed,
)
from lab.engine.aws.schema import parse_schema


def block(*names, settable=True):
    attributes = [
        {"name": n, "type": '"string"', "settable": settable, "computed": True, "sensitive": False}
        for n in names
    ]
    return parse_schema(
        "x", {"version": 0, "block": {"attributes": attributes, "blocks": []}}
    ).block


NAMED = block("name", "name_prefix", "description")


def fill(type_name="aws_placement_group", news=None, olds=None, seed=b"1", schema=NAMED):
    return filled_in(
        type_name, schema, news=news or {}, olds=olds or {}, logical_name="etcd-0", seed=seed
    )


def test_an_absent_name_is_the_logical_name_and_seven_hex_digits():
    assert re.fullmatch(r"etcd-0-[0-9a-f]{7}", fill()["name"])
    assert fill() == fill()
    assert fill(seed=b"2") != fill()


def test_a_given_name_or_prefix_is_left_alone():
    assert fill(news={"name": "mine"}) == {}
    assert fill(news={"namePrefix": "mine-"}) == {}


def test_a_generated_name_is_kept_and_one_that_the_program_gave_before_is_not():
    assert fill(olds={"name": "etcd-0-1234567", DEFAULTS: ["name"]})["name"] == "etcd-0-1234567"
    assert fill(olds={"name": "mine", DEFAULTS: []})["name"] != "mine"


def test_what_has_no_name_to_set_gets_none():
    assert fill(schema=block("id")) == {}
    assert fill(schema=block("name", settable=False)) == {}


def test_a_security_group_gets_pulumis_description():
    assert fill("aws_security_group")["description"] == DESCRIPTION
    assert "description" not in fill("aws_security_group", news={"description": "x"})


@given(st.sampled_from([*SPECIAL.values(), Autoname()]), st.text(min_size=1, max_size=300))
def test_names_never_exceed_the_limit_and_end_in_the_digits(rule, logical_name):
    name = generated_name(rule, logical_name, b"seed")
    assert name.startswith(rule.prefix)
    assert re.search(r"-[0-9a-f]{7}$", name)
    if logical_name.isascii():
        assert len(name) <= rule.longest


@pytest.mark.parametrize(
    ("news", "olds", "fixed"),
    [
        ({"name": "a", DEFAULTS: []}, {"name": "a"}, True),
        ({"name": "a", DEFAULTS: ["name"]}, {"name": "a"}, False),
        ({"name": "b", DEFAULTS: []}, {"name": "a"}, False),
    ],
)
def test_a_replacement_deletes_first_only_if_the_program_fixed_the_name(news, olds, fixed):
    assert name_is_fixed("aws_placement_group", NAMED, news, olds) is fixed
