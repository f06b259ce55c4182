"""The first formation of a cluster by real etcd processes with mutual TLS."""

import json
import os
import shutil
import time
from base64 import b64decode

import pytest

from node import prepare
from node.errors import NodeError
from node.etcd import client, tier
from node.settings import DATA_DIR
from tests.node.certificates import etcd_files
from tests.node.cluster import etcd_node
from tests.node.conftest import document, etcd, put_files

TOKEN = "test-vpc-0abc"
FORMATION = "/test/etcd/formation"


@pytest.fixture
def boot(aws, root, tmp_path, monkeypatch, authority, etcd_binaries):  # noqa: PLR0917  fixtures
    """Boot machines; the first so many of them are to found the cluster."""
    monkeypatch.setenv("PATH", f"{etcd_binaries}:{os.environ['PATH']}")
    # Everything in 127.0.0.0/8 is this machine; another test run has another network.
    network = f"127.{64 + os.getpid() // 250 % 128}.{1 + os.getpid() % 250}"
    nodes = []

    def boot(machines, founding):
        members = [{"name": f"etcd-{n}", "address": f"{network}.{10 + n}"} for n in range(machines)]
        set_formation(aws, {"formed": False, "token": TOKEN, "members": members[:founding]})
        for member in members:
            described = document(member["name"], etcd=etcd(member["address"]))
            node = etcd_node(tmp_path, etcd_binaries, described)
            put_files(aws, node.name, etcd_files(authority, node.name, member["address"]))
            monkeypatch.setenv("HA_NODE_ROOT", str(node.machine.root))
            assert prepare.run(node.settings, node.machine).startswith("wrote ca.crt")
            nodes.append(node)
        return nodes

    yield boot
    for node in nodes:
        node.machine.power_off()


def set_formation(aws, value):
    aws.put_parameter(Name=FORMATION, Value=json.dumps(value), Type="String", Overwrite=True)


def formation(aws):
    return json.loads(aws.get_parameter(Name=FORMATION)["Parameter"]["Value"])


def until(done, *nodes):
    """Run `reconcile` on each as the timer does; everything that they said."""
    said = []
    give_up = time.monotonic() + 60
    while not done(said):
        assert time.monotonic() < give_up, said[-len(nodes) :]
        said += [(node.name, node.reconcile()) for node in nodes]
        time.sleep(0.05)
    return said


def healthy(nodes):
    return all(client.healthy(node.settings.etcd) for node in nodes)


def status(aws, node):
    name = f"/test/nodes/{node.name}/status"
    return json.loads(aws.get_parameter(Name=name)["Parameter"]["Value"])


def test_three_machines_form_one_cluster_and_never_another(aws, boot, aws_down):
    *founders, late = boot(machines=4, founding=3)
    before = formation(aws)
    assert late.reconcile() == "the founding members have not formed the cluster yet"
    forming = f"starting etcd to form the cluster {TOKEN}"

    # Two of three have a quorum, but the third still needs `new`.
    for node in founders[:2]:
        assert node.reconcile() == forming
    missing = "etcd is running and waits for etcd-2 to start"
    until(lambda said: {("etcd-0", missing), ("etcd-1", missing)} <= set(said), *founders[:2])
    assert formation(aws) == before

    said = until(lambda _said: formation(aws)["formed"], *founders)
    assert ("etcd-2", forming) in said
    assert [text for _, text in said].count("the cluster is formed: set the marker") == 1
    assert formation(aws) == {**before, "formed": True}
    members = founders[0].etcdctl("member", "list")["members"]
    assert {m["name"] for m in members} == {"etcd-0", "etcd-1", "etcd-2"}
    assert not any(m.get("isLearner") for m in members)
    for node in founders:
        assert node.reconcile() == "etcd is running"
        assert node.machine.states_used == ["new"]
    assert "must join" in late.reconcile()

    # What people and gates read.
    assert [node.report() for node in founders] == ["member, healthy"] * 3
    reports = [status(aws, node) for node in founders]
    assert sorted(r["leader"] for r in reports) == [False, False, True]
    assert {r["memberId"] for r in reports} == {f"{m['ID']:x}" for m in members}
    assert late.report() == "waiting, not healthy"

    # All lose power, and AWS is away.
    founders[0].etcdctl("put", "acknowledged", "write")
    for node in founders:
        node.machine.power_off()
    aws_down()
    for node in founders:
        assert node.reconcile() == "starting etcd from its disk"
    until(lambda _said: healthy(founders), *founders)
    assert [node.machine.states_used for node in founders] == [["new", ""]] * 3
    (pair,) = founders[2].etcdctl("get", "acknowledged")["kvs"]
    assert b64decode(pair["value"]) == b"write"


@pytest.fixture
def single(boot):
    """A machine that is to found a cluster alone."""
    (node,) = boot(machines=1, founding=1)
    return node


def test_an_empty_disk_never_founds_a_second_cluster(aws, single, aws_down):
    until(lambda _said: formation(aws)["formed"], single)
    machine = single.machine
    machine.power_off()
    shutil.rmtree(machine.inside(DATA_DIR))
    assert "this member must join it" in single.reconcile()
    aws_down()
    assert "nobody says whether to form or to join: AWS: Could not" in single.reconcile()
    machine.start("etcd.service")
    assert machine.states_used == ["new"]
    assert not machine.active("etcd.service")


def test_a_disk_that_is_emptied_while_the_machine_runs_is_not_started(aws, single):
    until(lambda _said: formation(aws)["formed"], single)
    machine = single.machine
    machine.process.kill()
    machine.process.wait()
    shutil.rmtree(machine.inside(DATA_DIR))
    machine.start("etcd.service")  # as systemd does
    assert machine.states_used == ["new"]


class Killed(BaseException):
    """The power fails."""


@pytest.mark.parametrize("stop", ["write", "start", "put"])
def test_stopped_after_any_action_it_ends_the_same(aws, single, monkeypatch, stop):
    owner = {"write": tier.files, "start": single.machine, "put": tier.ParameterStore}[stop]
    real = getattr(owner, stop)

    def killed_after(*arguments, **options):
        real(*arguments, **options)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, stop, killed_after)
        with pytest.raises(Killed):
            until(lambda _said: False, single)
    until(lambda _said: formation(aws)["formed"], single)
    until(lambda said: ("etcd-0", "etcd is running") in said, single)
    assert single.machine.states_used == ["new"]
    assert [m["name"] for m in single.etcdctl("member", "list")["members"]] == ["etcd-0"]


def test_the_marker_keeps_what_was_written_meanwhile(aws, single, monkeypatch):
    """Between a node's look and its write another node, or a person, may have written."""
    until(lambda said: said, single)
    newer = {**formation(aws), "formed": True, "token": "another"}
    set_formation(aws, newer)
    assert tier.mark_formed(single.settings) == "the cluster is formed"
    assert formation(aws) == newer


@pytest.mark.parametrize("value", [{}, {"formed": False}, {"formed": False, "members": 3}, []])
def test_a_damaged_marker_forms_nothing(aws, single, value):
    set_formation(aws, value)
    with pytest.raises(NodeError, match=r"formation parameter is damaged.*run pulumi up"):
        single.reconcile()
    assert single.machine.states_used == []


@pytest.mark.parametrize("formed", [None, "false", 0, "no"])
def test_only_a_plain_false_lets_a_cluster_be_formed(aws, single, formed):
    set_formation(aws, {**formation(aws), "formed": formed})
    assert "must join" in single.reconcile()
    assert single.machine.states_used == []


def test_without_its_volume_a_machine_waits(aws, single):
    single.machine.mounts.clear()
    assert "not mounted" in single.reconcile()
    assert single.machine.states_used == []
