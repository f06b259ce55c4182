"""Values between Pulumi and Terraform: nothing is lost on the way there and back."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.engine.aws.schema import Block, Nesting, parse_schema
from lab.engine.aws.terraform_client import pack, unpack
from lab.engine.aws.values import PropertyError, to_properties, to_terraform
from lab.engine.properties import UNKNOWN


def attribute(name: str, encoded: str, **flags: bool) -> dict[str, Any]:
    plain = {"settable": True, "computed": False, "sensitive": False}
    return {"name": name, "type": encoded, **plain, **flags}


def nested(name: str, nesting: Nesting, max_items: int, *attributes: dict[str, Any]) -> Any:
    block = {"attributes": list(attributes), "blocks": []}
    return {"name": name, "nesting": int(nesting), "max_items": max_items, "block": block}


SCHEMA = parse_schema(
    "aws_example",
    {
        "version": 1,
        "block": {
            "attributes": [
                attribute("id", '"string"', settable=False, computed=True),
                attribute("cidr_block", '"string"'),
                attribute("size", '"number"'),
                attribute("encrypted", '"bool"'),
                attribute("security_group", '["set","string"]'),
                attribute("tags", '["map","string"]'),
                attribute("ingress", '["set",["object",{"cidr_block":["list","string"]}]]'),
                attribute("password", '"string"', sensitive=True),
            ],
            "blocks": [
                nested("health_check", Nesting.LIST, 1, attribute("path", '"string"')),
                nested("rule", Nesting.LIST, 0, attribute("port", '"number"')),
                nested(
                    "principal", Nesting.SET, 0, attribute("secret", '"string"', sensitive=True)
                ),
            ],
        },
    },
)
BLOCK: Block = SCHEMA.block

text = st.text(max_size=5)
numbers = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda number: not number.is_integer()
)
states = st.fixed_dictionaries(
    {
        "id": st.none() | text,
        "cidr_block": st.none() | text,
        "size": st.none() | numbers,
        "encrypted": st.none() | st.booleans(),
        "security_group": st.none() | st.lists(text),
        "tags": st.none() | st.dictionaries(text, text),
        "ingress": st.none()
        | st.lists(st.fixed_dictionaries({"cidr_block": st.none() | st.lists(text)})),
        "password": st.none() | text,
        "health_check": st.lists(st.fixed_dictionaries({"path": st.none() | text}), max_size=1),
        "rule": st.lists(st.fixed_dictionaries({"port": st.none() | numbers})),
        "principal": st.lists(st.fixed_dictionaries({"secret": st.none() | text})),
    }
)


@given(states)
def test_a_state_survives_the_way_to_pulumi_and_back(state):
    assert to_terraform(BLOCK, to_properties(BLOCK, state)) == state


@given(states)
def test_a_state_survives_the_wire(state):
    class Dynamic:
        msgpack = pack(state)
        json = b""

    assert unpack(Dynamic) == state


def test_an_unknown_value_survives_the_wire_and_both_conversions():
    class Dynamic:
        msgpack = pack({"cidr_block": UNKNOWN})
        json = b""

    assert unpack(Dynamic) == {"cidr_block": UNKNOWN}
    config = to_terraform(BLOCK, {"cidrBlock": UNKNOWN, "rules": UNKNOWN, "healthCheck": UNKNOWN})
    assert config["cidr_block"] is UNKNOWN
    assert config["rule"] is UNKNOWN
    assert to_properties(BLOCK, config)["cidrBlock"] is UNKNOWN


def test_properties_are_named_as_pulumi_names_them():
    properties = to_properties(
        BLOCK,
        {
            "security_group": ["a"],
            "ingress": [{"cidr_block": ["b"]}],
            "health_check": [{"path": "/"}],
            "rule": [{"port": 1}],
        },
    )
    assert properties == {
        "securityGroups": ["a"],
        "ingresses": [{"cidrBlocks": ["b"]}],
        "healthCheck": {"path": "/"},
        "rules": [{"port": 1}],
    }


def test_texts_become_what_the_schema_asks_for():
    config = to_terraform(
        BLOCK, {"size": "8", "encrypted": "true", "cidrBlock": 5, "tags": {"a": True}}
    )
    assert (config["size"], config["encrypted"], config["cidr_block"]) == (8, True, "5")
    assert config["tags"] == {"a": "true"}


@pytest.mark.parametrize(
    ("properties", "path"),
    [
        ({"cidrBlok": "x"}, "cidrBlok"),
        ({"rules": [{"prot": 1}]}, "rules[0].prot"),
        ({"ingresses": [{"cidr": []}]}, "ingresses[0].cidr"),
        ({"size": "many"}, "size"),
        ({"encrypted": "perhaps"}, "encrypted"),
        ({"securityGroups": "one"}, "securityGroups"),
        ({"healthCheck": "GET /"}, "healthCheck"),
        ({"tags": ["a"]}, "tags"),
    ],
)
def test_what_does_not_fit_is_named_by_its_path(properties, path):
    with pytest.raises(PropertyError) as problem:
        to_terraform(BLOCK, properties)
    assert problem.value.path == path


def test_pulumis_own_bookkeeping_is_not_configuration():
    assert to_terraform(BLOCK, {"__defaults": ["name"]}) == to_terraform(BLOCK, {})


def test_whatever_holds_something_sensitive_is_sensitive():
    assert BLOCK.sensitive_properties == {"password", "principals"}
