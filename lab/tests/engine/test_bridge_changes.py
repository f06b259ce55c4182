"""Plans as differences: sets have no order, paths are Pulumi's, replacement follows the provider."""

import pytest

from lab.engine.aws.plan_changes import changes, ignored
from lab.engine.aws.proposal import proposed_state
from lab.engine.aws.schema import parse_schema
from lab.engine.properties import UNKNOWN

PORTS = {
    "attributes": [
        {
            "name": "port",
            "type": '"number"',
            "settable": True,
            "computed": False,
            "sensitive": False,
        },
        {"name": "arn", "type": '"string"', "settable": True, "computed": True, "sensitive": False},
    ],
    "blocks": [],
}
BLOCK = parse_schema(
    "aws_example",
    {
        "version": 0,
        "block": {
            "attributes": [
                {
                    "name": name,
                    "type": kind,
                    "settable": settable,
                    "computed": computed,
                    "sensitive": False,
                }
                for name, kind, settable, computed in (
                    ("id", '"string"', False, True),
                    ("size", '"number"', True, False),
                    ("arn", '"string"', False, True),
                    ("groups", '["set","string"]', True, False),
                    ("zones", '["list","string"]', True, False),
                    ("tags", '["map","string"]', True, False),
                )
            ],
            "blocks": [
                {"name": "rule", "nesting": 2, "max_items": 0, "block": PORTS},
                {"name": "filter", "nesting": 2, "max_items": 1, "block": PORTS},
                {"name": "access", "nesting": 3, "max_items": 0, "block": PORTS},
            ],
        },
    },
).block
PRIOR = {
    "id": "i-1",
    "size": 8,
    "arn": "arn:1",
    "groups": ["a", "b"],
    "zones": ["x", "y"],
    "tags": {"Name": "n", "a.b/c": "d"},
    "rule": [{"port": 1, "arn": "r1"}, {"port": 2, "arn": "r2"}],
    "filter": [{"port": 3, "arn": "f"}],
    "access": [{"port": 4, "arn": "a4"}, {"port": 5, "arn": "a5"}],
}


def paths(planned):
    return [(change.property_path, change.kind) for change in changes(BLOCK, PRIOR, planned)]


def test_no_change_is_no_difference_whatever_the_order_of_sets():
    reordered = {**PRIOR, "groups": ["b", "a"], "access": PRIOR["access"][::-1]}
    assert paths(reordered) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"size": 9}, [("size", "UPDATE")]),
        ({"size": None}, [("size", "DELETE")]),
        ({"arn": UNKNOWN}, [("arn", "UPDATE")]),
        ({"id": UNKNOWN}, []),
        ({"zones": ["y", "x"]}, [("zones", "UPDATE")]),
        ({"groups": ["a", "b", "b"]}, [("groups", "UPDATE")]),
        (
            {"tags": {"Name": "m", "new": "x"}},
            [("tags.Name", "UPDATE"), ('tags["a.b/c"]', "DELETE"), ("tags.new", "ADD")],
        ),
        (
            {"rule": [{"port": 1, "arn": "r1"}, {"port": 9, "arn": "r2"}]},
            [("rules[1].port", "UPDATE")],
        ),
        ({"rule": []}, [("rules", "DELETE")]),
        ({"filter": [{"port": 9, "arn": "f"}]}, [("filter.port", "UPDATE")]),
        (
            {"access": [{"port": 4, "arn": "a4"}, {"port": 9, "arn": "a5"}]},
            [("accesses", "UPDATE")],
        ),
    ],
)
def test_differences_are_named_by_pulumis_path(changed, expected):
    assert paths({**PRIOR, **changed}) == expected


def test_only_a_change_at_above_or_below_a_required_path_replaces():
    size, rule = changes(
        BLOCK, PRIOR, {**PRIOR, "size": 9, "rule": [{"port": 7, "arn": "r1"}, PRIOR["rule"][1]]}
    )
    assert size.replaced_by([("size",)])
    assert not size.replaced_by([("arn",), ("rule",)])
    assert rule.replaced_by([("rule",)])
    assert rule.replaced_by([("rule", 0, "port")])
    assert not rule.replaced_by([("rule", 1, "port")])


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("tags.Name", "tags", True),
        ("tags.Name", "tags.Name", True),
        ("tags.Name", "tags.N", False),
        ("rules[1].port", "rules[*].port", True),
        ("rules[1].port", "rules[0]", False),
        ("size", "sizes", False),
    ],
)
def test_ignored_changes(path, pattern, expected):
    assert ignored(path, [pattern]) is expected


def test_a_proposal_keeps_what_the_provider_computed():
    config = {
        **PRIOR,
        "id": None,
        "arn": None,
        "size": None,
        "rule": [{"port": 1, "arn": None}, {"port": 7, "arn": None}, {"port": 8, "arn": None}],
        "access": [{"port": 5, "arn": None}, {"port": 6, "arn": None}],
    }
    proposed = proposed_state(BLOCK, PRIOR, config)
    assert (proposed["id"], proposed["arn"]) == ("i-1", "arn:1")
    assert proposed["size"] is None, "what the program took away and nobody computes goes"
    assert [item["arn"] for item in proposed["rule"]] == ["r1", "r2", None]
    assert proposed["access"] == [{"port": 5, "arn": "a5"}, {"port": 6, "arn": None}]


def test_a_proposal_without_a_prior_state_is_the_configuration():
    config = {**PRIOR, "id": None, "arn": None}
    assert proposed_state(BLOCK, None, config) == config
