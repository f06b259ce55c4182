"""What the proofs of failures judge by: the client that writes, and who fails."""

import json
from dataclasses import replace

import pytest

from lab.lab_errors import LabError
from lab.proofs.configmap_writer import Writer
from lab.proofs.polling import until
from lab.proofs.tls import Answer, RefusedError
from lab.proofs.victims import choose_elsewhere
from lab.running.node_names import Node

WRITES = 5


class Cluster:
    """An API with one object, and whatever goes wrong with it."""

    def __init__(self) -> None:
        self.kept = 0
        self.trouble: Exception | str | None = None

    def ask(self, path, *, method="GET", document=None) -> Answer:
        if method == "POST":
            return Answer(201, "")
        if method == "GET":
            return Answer(200, json.dumps({"data": {"n": str(self.kept)}}))
        if isinstance(self.trouble, Exception):
            raise self.trouble
        if self.trouble == "answers 500":
            return Answer(500, "")
        if self.trouble != "forgets":
            self.kept = int(document["data"]["n"])
        return Answer(200, "")


@pytest.fixture
def cluster(monkeypatch) -> Cluster:
    monkeypatch.setattr(Writer, "pause", 0.001)
    return Cluster()


def test_what_a_writer_was_promised_is_kept(cluster):
    with Writer(cluster, "space", "name") as writer:
        until("writes are acknowledged", lambda: writer.acknowledged >= WRITES)
    assert writer.kept() == writer.acknowledged
    assert writer.failed == 0


def test_an_acknowledged_write_that_is_lost_is_found(cluster):
    cluster.trouble = "forgets"
    with Writer(cluster, "space", "name") as writer:
        until("writes are acknowledged", lambda: writer.acknowledged >= WRITES)
    assert writer.kept() < writer.acknowledged


@pytest.mark.parametrize("trouble", ["answers 500", TimeoutError(), RefusedError()], ids=repr)
def test_a_failed_write_is_no_promise_and_a_stall(cluster, trouble):
    cluster.trouble = trouble
    with Writer(cluster, "space", "name") as writer:
        until("writes fail", lambda: writer.failed >= WRITES)
        assert writer.acknowledged == 0
        cluster.trouble = None
        until("writes are acknowledged", lambda: writer.acknowledged > WRITES)
    assert writer.stall >= WRITES * Writer.pause
    # Failed attempts are not written over: each has a number of its own.
    assert writer.acknowledged >= writer.failed


def test_a_zone_that_nobody_uses_is_cut_and_the_leaders_first(instance, subnet):
    def node(name: str, zone: str) -> Node:
        return Node(name, replace(instance, subnet=replace(subnet, zone=zone)))

    leader, other, third = node("etcd-1", "b"), node("etcd-0", "a"), node("etcd-2", "c")
    assert choose_elsewhere([leader, other, third], {"a"}) == leader
    assert choose_elsewhere([leader, other, third], {"a", "b"}) == third
    with pytest.raises(LabError, match="no member is outside of a, b, c"):
        choose_elsewhere([leader, other, third], {"a", "b", "c"})
