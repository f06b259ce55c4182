"""AWS is slow, throttles or is away while the membership changes, under a client that writes."""

import random
import time
from http.client import HTTPConnection

import pytest
from botocore.config import Config

from tests.node.doubles import Quiet, serve
from tests.node.writer import Writer

THROTTLED = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'


class Weather:
    """How AWS is."""

    now = "well"
    served = 0
    """Requests that were answered late, throttled or not at all."""


@pytest.fixture
def weather(aws, moto_url, monkeypatch):
    """Put something between the nodes and AWS."""
    weather, dice = Weather(), random.Random(4)

    class Between(Quiet):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            now = weather.now
            weather.served += now != "well"
            if now == "down":
                self.close_connection = True
            elif now == "throttled" and dice.random() < 0.3:
                self.reply(400, THROTTLED)
            else:
                connection = HTTPConnection(moto_url.removeprefix("http://"))
                connection.request("POST", self.path, body, dict(self.headers))
                answer = connection.getresponse()
                status, text = answer.status, answer.read()
                connection.close()
                # What a node asked for is done, though it may not hear of it.
                time.sleep({"late": 1.0, "slow": 0.1}.get(now, 0))
                self.reply(status, text)

        def reply(self, status, body=b"", length=None):
            try:
                super().reply(status, body, length)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

    # WaitPolicy in proportion: botocore's own backoff stays as it is.
    def config(**options):
        return Config(**{**options, "read_timeout": 0.5, "connect_timeout": 0.5})

    with serve(Between) as port:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
        monkeypatch.setattr("node.aws.Config", config)
        monkeypatch.setattr("node.aws.ATTEMPTS", 2)
        yield weather


def test_whatever_aws_does_nothing_breaks_and_it_goes_on_afterwards(
    etcd_tier, weather, monkeypatch
):
    tier = etcd_tier
    tier.form(1)
    first = tier.ids()
    with Writer(tier.gateway()) as writer:
        # Away in the middle of a change.
        tier.desire(0, 1, 2)
        tier.boot(1, 2)
        tier.until(lambda: len(tier.listed()) == 2)
        weather.now = "down"
        said = tier.round() + tier.round()
        joining = "nobody says whether to form or to join: AWS:"
        assert all(joining in text for number, text in said if number == 2), said
        assert all("AWS:" in text for _, text in said), said
        assert len(tier.listed()) == 2
        # A reboot needs no AWS.
        tier.nodes[0].machine.power_off()
        tier.until(tier.nodes[0].healthy, 0)
        assert weather.served > 0
        weather.now = "well"
        tier.until(lambda: tier.voters(range(3)))

        # Too slow for anything to be sure.
        tier.desire(0)
        before = tier.ids()
        weather.now = "late"
        said = tier.round()
        assert all("AWS: Read timeout" in text for _, text in said), said
        assert tier.ids() == before

        # Slow, and then throttled: it takes longer.
        weather.now = "slow"
        tier.until(lambda: tier.voters([0]) and tier.left(1, 2))
        weather.now, before = "throttled", weather.served
        monkeypatch.setattr("node.aws.ATTEMPTS", 3)
        tier.desire(0, 1, 2)
        tier.until(lambda: tier.voters(range(3)))
        assert weather.served > before
    assert tier.ids()["etcd-0"] == first["etcd-0"]
    assert writer.lost() == set()
