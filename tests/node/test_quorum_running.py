"""Members of etcd are killed one by one under a client of a real API server.

How many may fail is written here as the requirement has it, not as the program computes it; whether
they may is up to the etcd processes.
"""

import random
import shutil
import sys
import tempfile
import time
from pathlib import Path

import pytest

from node import web
from node.api import liveness
from node.errors import NodeError
from tests.node.controlplane import ControlPlane
from tests.node.daemons import wait_until
from tests.node.writer import REQUEST_SECONDS, Writer

pytestmark = pytest.mark.skipif(shutil.which("haproxy") is None, reason="no haproxy here")

MAY_FAIL = ((1, 0), (3, 1), (5, 2), (7, 3))
"""Members, and how many of them may be lost while writes go on."""

QUIET_SECONDS = 3
"""In which no write may be acknowledged; an election takes one or two, and those that were under
way have had their time before."""

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


class ConfigMaps:
    """What the writer writes to: a config map for each key."""

    def __init__(self, plane, server):
        self._server, self._client = server, plane.client("writer", "system:masters")
        self.seconds = 30

    def put(self, key, value):
        body = {"metadata": {"name": key.replace("/", ".")}, "data": {"value": value}}
        try:
            self._server.call(self._client, "POST", CONFIG_MAPS, body, self.seconds)
        except web.StatusError as error:
            # 409: an attempt before that nobody acknowledged.
            if error.status not in {201, 409}:
                raise OSError(str(error)) from error
        except NodeError as error:
            raise OSError(str(error)) from error

    def keys(self, prefix):
        found = self._server.call(self._client, "GET", CONFIG_MAPS)["items"]
        objects = {o["metadata"]["name"].replace(".", "/"): o["data"]["value"] for o in found}
        return {key: value for key, value in objects.items() if key.startswith(prefix)}


@pytest.fixture
def plane(etcd_binaries, kubernetes_binaries):
    # The path of HAProxy's socket has 108 bytes at most.
    with tempfile.TemporaryDirectory(prefix="quorum-") as directory:
        plane = ControlPlane(Path(directory), etcd_binaries, kubernetes_binaries)
        yield plane
        plane.close()


def begin(plane, *members):
    """Start members that have data."""
    for member in members:
        member.start(plane.initial(plane.members))


def wait_for_writes(writer):
    """Wait for writes of which the last one was begun after this."""
    before = len(writer.acknowledged)
    wait_until(lambda: len(writer.acknowledged) > before + 1, "writes are acknowledged")


def assert_no_write(writer):
    # One that was under way is acknowledged in this time, or given up.
    time.sleep(REQUEST_SECONDS)
    before = len(writer.acknowledged)
    time.sleep(QUIET_SECONDS)
    assert len(writer.acknowledged) == before


def hashes(members):
    """etcd's hashes over all keys with their history, of every member at the same revision."""
    gateways = [member.gateway() for member in members]
    # A linearizable read: the member has everything that was acknowledged before.
    heads = [gateway.ask("/v3/kv/range", {"key": "AA=="})["header"] for gateway in gateways]
    revision = min(int(head["revision"]) for head in heads)
    asked = {"revision": revision}
    return {gateway.ask("/v3/maintenance/hashkv", asked)["hash"] for gateway in gateways}


@pytest.mark.parametrize(("size", "may_fail"), MAY_FAIL)
def test_writes_go_on_exactly_while_no_more_have_failed(plane, monkeypatch, size, may_fail):
    members = plane.form(size)
    server = plane.running_server(proxied=True)
    monkeypatch.setattr(liveness, "HOST", server.address)
    api_server = server.daemons["kube-apiserver"]
    leader = plane.leader()
    victims = [leader, *random.sample([m for m in members if m is not leader], may_fail)]
    sys.stdout.write(f"killed in this order: {', '.join(victim.name for victim in victims)}\n")

    with Writer(ConfigMaps(plane, server)) as writer:
        wait_for_writes(writer)
        *spared, last = victims
        for victim in spared:
            victim.daemons["etcd"].end()
            wait_for_writes(writer)
        last.daemons["etcd"].end()
        assert_no_write(writer)
        # The watchdog leaves an API server alone that only lacks etcd.
        assert liveness.death() == ""

        begin(plane, last)
        wait_for_writes(writer)
        begin(plane, *spared)
        wait_until(lambda: all(member.healthy() for member in members), "all are back")
        wait_for_writes(writer)
    assert writer.lost() == set()
    assert len(hashes(members)) == 1
    # Not started again: it is the same process.
    assert api_server.alive()
