"""The join token: what it may do, when it is renewed, and that it is never shown."""

import base64
import json
import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.cluster import bootstrap_token
from node.cluster.bootstrap_token import LIFE, RENEWED, JoinToken, due, newest, same
from node.contract import BOOTSTRAP_GROUP

NOW = datetime(2026, 11, 29, 12, 0, 0, tzinfo=UTC)


def values(manifest):
    return {key: base64.b64decode(text).decode() for key, text in manifest["data"].items()}


def test_it_is_a_bootstrap_token_of_one_group_and_one_use():
    token = bootstrap_token.new(NOW)
    manifest = token.manifest
    assert manifest["type"] == "bootstrap.kubernetes.io/token"
    assert manifest["metadata"]["namespace"] == "kube-system"
    # The API server looks for the Secret by this name.
    assert manifest["metadata"]["name"] == f"bootstrap-token-{token.id}"
    given_values = values(manifest)
    assert re.fullmatch(r"[a-z0-9]{6}", given_values["token-id"])
    assert re.fullmatch(r"[a-z0-9]{16}", given_values["token-secret"])
    assert given_values["auth-extra-groups"] == BOOTSTRAP_GROUP
    assert re.fullmatch(r"system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]", BOOTSTRAP_GROUP)
    assert [key for key in given_values if key.startswith("usage-")] == [
        "usage-bootstrap-authentication"
    ]
    assert given_values["expiration"] == "2026-11-29T14:00:00Z"


def test_workers_read_the_token_and_its_end():
    token = JoinToken("abcdef", "0123456789abcdef", NOW)
    assert token.document == {
        "token": "abcdef.0123456789abcdef",
        "expires": "2026-11-29T12:00:00Z",
    }


def test_it_does_not_show_its_secret():
    token = bootstrap_token.new(NOW)
    for shown in (repr(token), str(token), f"{token}"):
        assert token.secret not in shown
        assert token.id in shown


def test_no_two_are_equal():
    assert len({bootstrap_token.new(NOW).secret for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(0), False),
        (LIFE - RENEWED - timedelta(seconds=1), False),
        (LIFE - RENEWED, True),
        (LIFE + RENEWED, True),
    ],
)
def test_it_is_renewed_while_it_still_lives(age, expected):
    assert due(bootstrap_token.new(NOW), NOW + age) is expected


def test_there_is_one_when_there_was_none():
    assert due(None, NOW)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=5))
def test_of_several_that_counts_which_lives_longest(offsets):
    tokens = [bootstrap_token.new(NOW + timedelta(seconds=one)) for one in offsets]
    found = newest([token.manifest for token in tokens])
    assert found.expires == max(token.expires for token in tokens)
    assert found in tokens


def test_what_is_no_token_of_ours_does_not_count():
    good = bootstrap_token.new(NOW)
    damaged = bootstrap_token.new(NOW + LIFE).manifest
    other = bootstrap_token.new(NOW + LIFE).manifest
    other["data"]["auth-extra-groups"] = base64.b64encode(b"system:bootstrappers:a").decode()
    for key, text in (("expiration", "bm9uc2Vuc2U="), ("token-id", "a"), ("token-secret", "/w==")):
        changed = {**damaged, "data": {**damaged["data"], key: text}}
        assert newest([good.manifest, changed, other, {}, {"data": {}}]) == good
    assert newest([other]) is None


@pytest.mark.parametrize("stored", [None, "", "{}", "nonsense", "[]"])
def test_a_parameter_that_holds_something_else(stored):
    assert not same(bootstrap_token.new(NOW), stored)


def test_a_parameter_that_holds_it():
    token = bootstrap_token.new(NOW)
    assert same(token, json.dumps(token.document))
    assert not same(bootstrap_token.new(NOW), json.dumps(token.document))
