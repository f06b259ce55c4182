"""What an etcd node sees."""

import json

import pytest

from node.contract import CLUSTER_ENV, ETCD_MOUNT, ETCD_WAL
from node.errors import NodeError
from node.etcd import member_state
from node.etcd.members import Entry
from node.membership import Formation, Member
from node.settings import at
from tests.node.conftest import etcd
from tests.node.doubles import FakeMachine

ME, OTHER, FOUNDER = ({"name": f"etcd-{n}", "address": f"127.0.0.{n}"} for n in (1, 2, 3))
LISTED = (Entry("1f", "etcd-2", "127.0.0.2", voter=True, started=True),)


class Machine(FakeMachine):
    """One whose etcd ended by itself, unless it runs."""

    def ended(self, unit):
        return unit not in self.running


@pytest.fixture
def settings(node, aws):
    put(aws, "/test/etcd/formation", {"formed": True, "token": "t", "members": [ME, FOUNDER]})
    put(aws, "/test/etcd/members", [OTHER, ME])
    put(aws, "/test/nodes/etcd-1/status", {"state": "waiting", "memberId": "aa"})
    return node("etcd-1", etcd=etcd(ME["address"]))


def put(aws, name, value):
    aws.put_parameter(Name=name, Value=json.dumps(value), Type="String", Overwrite=True)


@pytest.fixture
def machine(root):
    machine = Machine()
    machine.mounts.add(at(ETCD_MOUNT))
    return machine


def initialise():
    at(ETCD_WAL).mkdir(parents=True)
    (at(ETCD_WAL) / "0.wal").touch()


@pytest.fixture
def asked(monkeypatch):
    """Whom the node asked among its peers; what else happens then."""
    addresses, meanwhile = [], []

    def membership(_settings, others):
        addresses.append(list(others))
        for happens in meanwhile:
            happens()
        return LISTED

    monkeypatch.setattr("node.etcd.peers.membership", membership)
    return addresses, meanwhile


@pytest.fixture
def own(monkeypatch):
    """What the local etcd lists."""
    monkeypatch.setattr("node.etcd.local_member.membership", lambda *_: LISTED)


def look(settings, machine):
    return member_state.observe(settings, settings.etcd, machine)


def test_an_empty_disk_has_the_peers_asked_the_desired_ones_first(settings, machine, asked, own):
    state = look(settings, machine)
    assert state.disk == "empty"
    assert asked[0] == [["127.0.0.2", "127.0.0.3"]]
    assert state.peers == LISTED
    assert state.entries is None
    assert state.used == "aa"
    assert not state.starting
    assert not state.removed
    assert state.desired == (Member(**OTHER), Member(**ME))
    assert state.wanted
    assert state.formation == Formation(
        formed=True, token="t", members=(Member(**ME), Member(**FOUNDER))
    )
    assert state.trouble == ""


def test_a_first_start_that_comes_between_is_seen(settings, machine, asked):
    """Else a member that its peers know as started would be taken for one that lost its disk."""
    asked[1].append(initialise)
    state = look(settings, machine)
    assert state.peers == LISTED
    assert state.disk == "initialised"


def test_what_runs_asks_nobody_but_its_own_etcd(settings, machine, asked, own):
    initialise()
    machine.running.add("etcd.service")
    state = look(settings, machine)
    assert (state.disk, state.running, state.removed) == ("initialised", True, False)
    assert state.entries == LISTED
    assert state.peers is None
    assert asked[0] == []


def test_what_ended_by_itself_asks_its_peers(settings, machine, asked, own):
    initialise()
    state = look(settings, machine)
    assert (state.disk, state.running, state.removed) == ("initialised", False, True)
    assert state.peers == LISTED
    assert state.entries is None


def test_before_the_formation_peers_are_asked_whether_this_node_ever_ran(
    aws, settings, machine, asked
):
    put(aws, "/test/etcd/formation", {"formed": False, "token": "t", "members": [ME]})
    state = look(settings, machine)
    assert (state.peers, state.reported) == (LISTED, ())
    assert asked[0] == [["127.0.0.2"]]


def test_where_no_peer_answers_their_reports_are_read(aws, settings, machine, monkeypatch):
    monkeypatch.setattr("node.etcd.peers.membership", lambda *_: None)
    unformed = {"formed": False, "token": "t", "members": [ME, FOUNDER], "version": 2}
    put(aws, "/test/etcd/formation", unformed)
    assert look(settings, machine).reported == ()
    put(aws, "/test/nodes/etcd-2/status", {"state": "member", "memberId": "2f", "version": 1})
    put(aws, "/test/nodes/etcd-3/status", {"state": "waiting", "memberId": None, "version": 1})
    assert look(settings, machine).reported == ("etcd-2",)
    put(aws, "/test/nodes/etcd-2/status", {"version": 1})
    assert look(settings, machine).reported == ("etcd-2",), "an old one was written back"


MARKER = {"formed": False, "token": "t", "members": [ME]}


def test_an_old_marker_that_was_written_back_says_nothing(aws, settings, machine, asked):
    put(aws, "/test/etcd/formation", {**MARKER, "formed": True, "version": 2})
    put(aws, "/test/etcd/formation", {**MARKER, "version": 1})
    state = look(settings, machine)
    assert state.formation
    assert state.formation.formed
    assert (state.echo, state.void) == (True, False)


def test_a_marker_that_was_made_again_with_an_old_value_is_none(aws, settings, machine, asked):
    aws.delete_parameter(Name="/test/etcd/formation")
    put(aws, "/test/etcd/formation", {**MARKER, "version": 7})
    state = look(settings, machine)
    assert (state.formation, state.void) == (None, True)
    assert state.trouble.startswith("/test/etcd/formation holds an old value")


def test_without_a_volume_there_is_no_disk(settings, machine, asked):
    initialise()
    machine.mounts.clear()
    state = look(settings, machine)
    assert (state.disk, state.removed, state.peers) == ("absent", False, None)


def test_a_decision_that_stands_is_seen(settings, machine, asked):
    at(CLUSTER_ENV).parent.mkdir(parents=True)
    at(CLUSTER_ENV).touch()
    assert look(settings, machine).starting


def test_without_aws_only_the_machine_is_seen(settings, machine, asked, aws_down):
    aws_down()
    state = look(settings, machine)
    assert (state.formation, state.desired, state.used) == (None, None, None)
    assert state.trouble.startswith("AWS: Could not connect")
    assert state.wanted is None
    assert asked[0] == []


def test_parameters_that_do_not_exist_are_named(aws, settings, machine, asked):
    aws.delete_parameters(
        Names=["/test/etcd/members", "/test/etcd/formation", "/test/nodes/etcd-1/status"]
    )
    state = look(settings, machine)
    assert (state.formation, state.desired, state.used) == (None, None, None)
    assert state.trouble == (
        "/test/etcd/formation and /test/etcd/members do not exist: run pulumi up"
    )


@pytest.mark.parametrize("name", ["members", "formation"])
@pytest.mark.parametrize("value", [[], "x", 3, None])
def test_damaged_parameters_are_a_fault(aws, settings, machine, name, value):
    put(aws, f"/test/etcd/{name}", value)
    with pytest.raises(NodeError, match=rf"the etcd {name} parameter is damaged.*run pulumi up"):
        look(settings, machine)
