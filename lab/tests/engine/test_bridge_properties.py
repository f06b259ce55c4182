"""Pulumi's wire format: secrets and unknown values."""

from google.protobuf import struct_pb2
from hypothesis import given
from hypothesis import strategies as st

from lab.engine.properties import (
    SECRET,
    SIGNATURE,
    UNKNOWN,
    UNKNOWN_TEXT,
    UNKNOWN_TEXTS,
    carries,
    decode,
    encode,
    redacted,
)

CANARY = "canary-0123456789"

names = st.text(min_size=1, max_size=8).filter(lambda name: name != SIGNATURE)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(names, values, max_size=4), st.data())
def test_values_and_secrets_survive_the_wire(properties, data):
    secret = data.draw(st.sets(st.sampled_from(sorted(properties)))) if properties else set()
    decoded = decode(encode(properties, secret))
    assert decoded.values == properties
    assert decoded.secret_names == secret


def test_a_secret_inside_a_value_makes_the_property_secret_and_is_remembered():
    struct = struct_pb2.Struct()
    secret = {SIGNATURE: SECRET, "value": CANARY}
    struct.update({"open": "x", "tags": {"a": [secret]}})
    decoded = decode(struct)
    assert decoded.values == {"open": "x", "tags": {"a": [CANARY]}}
    assert decoded.secret_names == {"tags"}
    assert decoded.secret_texts == {CANARY}


def test_a_secret_is_wrapped_on_the_wire():
    field = encode({"a": CANARY, "b": "x"}, {"a"}).fields
    assert field["a"].struct_value.fields[SIGNATURE].string_value == SECRET
    assert field["b"].string_value == "x"


def test_every_kind_of_unknown_is_unknown():
    struct = struct_pb2.Struct()
    struct.update({text: text for text in UNKNOWN_TEXTS})
    assert set(decode(struct).values.values()) == {UNKNOWN}
    assert encode({"a": UNKNOWN}).fields["a"].string_value == UNKNOWN_TEXT


def test_a_secret_is_found_inside_longer_texts_and_a_short_one_only_as_a_whole():
    assert carries({"a": [f"x{CANARY}y"]}, {CANARY})
    assert carries("ab", {"ab"})
    assert not carries("abc", {"ab"})
    assert not carries({"a": "x"}, {CANARY})


def test_messages_lose_their_secrets():
    assert redacted(f"bad value {CANARY}", {CANARY}) == "bad value [secret]"
    assert redacted("the value is bad", {"a"}) == "the value is bad"
