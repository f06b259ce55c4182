"""What a node reports of itself; the etcd tier's report is tested in test_formation.py."""

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection

import pytest

from node import report, web
from node.errors import NodeError
from node.metadata import metadata
from tests.node.doubles import FakeMachine, Metadata, Quiet, serve
from tests.node.issued_certificates import Authority


@pytest.fixture
def settings(node, aws, authority):
    settings = node("api-0")
    settings.pki.mkdir(parents=True)
    (settings.pki / "ca.crt").write_text(authority.pair.certificate)
    return settings


def status(aws):
    value = aws.get_parameter(Name="/test/nodes/api-0/status")["Parameter"]["Value"]
    return json.loads(value)


@pytest.fixture
def api_server(monkeypatch):
    """An API server whose certificate a CA vouches for, and that answers as told."""

    @contextmanager
    def start(authority, answer):
        class ApiServer(Quiet):
            def do_GET(self):
                anonymous = "Authorization" not in self.headers
                self.reply(answer if self.path == "/readyz" and anonymous else 400)

        with serve(ApiServer, authority.server_context("apiserver")) as port:
            monkeypatch.setattr("node.api.readiness.PORT", port)
            yield

    return start


@pytest.mark.parametrize(
    ("answer", "trusted", "state"),
    [(200, True, "ready"), (500, True, "waiting"), (200, False, "waiting")],
)
def test_an_api_server_is_ready_when_it_says_so_itself(request, api_server, answer, trusted, state):
    settings, aws = request.getfixturevalue("settings"), request.getfixturevalue("aws")
    authority = request.getfixturevalue("authority") if trusted else Authority("another")
    with api_server(authority, answer):
        said = report.run(settings, FakeMachine())
    assert said == f"{state}, {'healthy' if state == 'ready' else 'not healthy'}"
    found = status(aws)
    written = datetime.fromisoformat(found.pop("time"))
    assert timedelta(0) <= datetime.now(UTC) - written < timedelta(minutes=1)
    assert found == {
        "version": 1,
        "instanceId": "i-0abc",
        "state": state,
        "healthy": state == "ready",
    }


def test_pulumis_parameter_is_overwritten(aws, settings):
    aws.put_parameter(Name="/test/nodes/api-0/status", Value="{}", Type="String")
    report.run(settings, FakeMachine())
    assert (status(aws)["state"], status(aws)["version"]) == ("waiting", 2)


def test_without_metadata_the_rest_is_reported(aws, settings, monkeypatch):
    monkeypatch.setattr(Metadata, "items", {})
    report.run(settings, FakeMachine())
    assert status(aws)["instanceId"] is None


def test_without_aws_it_is_a_fault(settings, aws_down):
    aws_down()
    with pytest.raises(NodeError, match="Could not connect"):
        report.run(settings, FakeMachine())


def test_the_metadata_service_is_asked_with_a_token_and_without_a_proxy(aws, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert metadata("instance-id") == "i-0abc"


def test_without_a_token_it_answers_nothing(metadata_url):
    connection = HTTPConnection(metadata_url.removeprefix("http://"))
    with pytest.raises(NodeError, match="401"):
        web.ask(connection, "/latest/meta-data/instance-id")
