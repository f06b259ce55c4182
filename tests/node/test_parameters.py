"""Several parameters in one request, and how old they are by AWS's own clock."""

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from botocore.stub import Stubber

from node.aws import AwsError, ParameterStore, Stored
from tests.node.conftest import REGION


def put(aws, name, value):
    aws.put_parameter(Name=name, Value=value, Type="String", Overwrite=True)


def test_more_than_ten_come_in_as_many_requests_as_needed(aws):
    names = [f"/test/{number}" for number in range(23)]
    for name in names:
        put(aws, name, json.dumps({"is": name}))
    found = ParameterStore(REGION).latest([*names, "/test/none"])
    assert {name: stored.document for name, stored in found.items()} == {
        name: {"is": name} for name in names
    }


def test_of_none_there_are_none(aws):
    assert ParameterStore(REGION).latest([]) == {}
    assert ParameterStore(REGION).latest(["/test/none"]) == {}


@pytest.mark.parametrize(
    ("value", "document"), [("[{", None), ("null", None), ("x", None), ("[]", []), ("3", 3)]
)
def test_what_is_not_json_is_nothing_and_does_not_hide_the_others(aws, value, document):
    put(aws, "/test/damaged", value)
    put(aws, "/test/sound", '{"a": 1}')
    found = ParameterStore(REGION).latest(["/test/damaged", "/test/sound"])
    assert found["/test/damaged"].document == document
    assert found["/test/sound"].document == {"a": 1}


def test_without_aws_it_is_a_fault(aws, aws_down):
    aws_down()
    with pytest.raises(AwsError, match="Could not connect"):
        ParameterStore(REGION).latest(["/test/any"])


WRITTEN = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
"""A time that no clock here shows."""


@pytest.mark.parametrize("seconds", [0, 30, 86_400, -86_400])
def test_the_age_is_told_by_two_clocks_of_aws_and_none_of_the_node(aws, seconds):
    store = ParameterStore(REGION)
    with Stubber(store._ssm) as stub:
        stub.add_response(
            "get_parameters",
            {
                "Parameters": [{"Name": "/a", "Value": "1", "LastModifiedDate": WRITTEN}],
                "ResponseMetadata": {
                    "HTTPHeaders": {
                        "date": format_datetime(WRITTEN + timedelta(seconds=seconds), usegmt=True)
                    }
                },
            },
            {"Names": ["/a"]},
        )
        assert store.latest(["/a"]) == {"/a": Stored(1, seconds)}


def test_an_answer_without_a_date_is_dated_by_the_node(aws):
    store = ParameterStore(REGION)
    with Stubber(store._ssm) as stub:
        now = datetime.now(UTC)
        stub.add_response(
            "get_parameters",
            {
                "Parameters": [{"Name": "/a", "Value": "1", "LastModifiedDate": now}],
                "ResponseMetadata": {"HTTPHeaders": {}},
            },
        )
        assert 0 <= store.latest(["/a"])["/a"].age < 3600
