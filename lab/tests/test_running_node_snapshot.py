"""What is read from machines, and what is shown and waited for."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest

from lab.running.node_names import Node
from lab.running.node_snapshot import ApiServer, NodeSnapshot, held_by, read
from lab.running.ready import missing
from lab.running.table import COLUMNS, row, table
from lab.running.timeline import phases, span
from lab.tests.snapshot_samples import MANAGER, SCHEDULER, WELL, member, node, server

UNREADY = ApiServer(ready=False, holders={MANAGER: None, SCHEDULER: None})
API_0 = Node("api-0", replace(WELL.node.instance, address=IPv4Address("10.0.0.17")))


def asked(machine: Node, words: dict[str, object] | None) -> NodeSnapshot:
    return read(machine, words, fault=None, target=None, check="ok")


def unit(seconds: float) -> dict[str, str]:
    return {"ActiveState": "active", "ActiveEnterTimestampMonotonic": str(int(seconds * 1e6))}


def booted(machine: NodeSnapshot, userspace: float, **since: float) -> NodeSnapshot:
    """A machine whose systemd began at `userspace`, and units that are active since then."""
    units = {f"{name.replace('_', '-')}.service": unit(seconds) for name, seconds in since.items()}
    return replace(machine, userspace=userspace, units=units)


def texts(snapshot: NodeSnapshot) -> dict[str, str]:
    return dict(zip(COLUMNS, (text for text, _ in row(snapshot, "eu-central-1")), strict=True))


STATUS = {
    "header": {"member_id": 7, "revision": 42},
    "leader": 7,
    "isLearner": False,
    "dbSize": 4096,
}


def test_a_member_is_read_from_its_own_words():
    seen = asked(
        node("etcd-0"),
        {
            "userspace": 100_000_000,
            "units": {"etcd.service": unit(110)},
            "certificates": {
                "ca.crt": "Nov 22 00:00:00 2036 GMT",
                "peer.crt": "Nov  4 12:00:00 2027 GMT",
            },
            "etcd": {
                "status": STATUS,
                "members": [
                    {"ID": 7, "name": "etcd-0"},
                    {"ID": 8, "name": "", "isLearner": True},
                ],
            },
            "api": None,
        },
    )
    # A member that never started has no name yet.
    listed = {"etcd-0": "voter", "8": "learner"}
    assert seen == replace(
        member("etcd-0", leader=True, members=listed),
        units={"etcd.service": unit(110)},
        userspace=100.0,
        expires=datetime(2027, 11, 4, 12, tzinfo=UTC),
    )
    assert seen.since("etcd.service") == 110
    assert seen.holds == []


@pytest.mark.parametrize(
    ("status", "role"), [({"leader": 8, "isLearner": True}, "learner"), ({"leader": 0}, "voter")]
)
def test_a_learner_is_read_and_a_member_without_quorum(status, role):
    etcd = {"status": STATUS | status, "members": None}
    seen = asked(node("etcd-0"), {"units": WELL.units, "etcd": etcd})
    assert (seen.etcd.role, seen.etcd.leader) == (role, False)
    assert texts(seen)["it says"] == "sees no leader"


def test_an_api_server_is_read_from_its_own_words():
    leases = {MANAGER: "api-0-10-0-0-17_x", SCHEDULER: "api-1_y"}
    seen = asked(API_0, {"etcd": None, "api": {"ready": True, "leases": leases}})
    assert seen.api == ApiServer(ready=True, holders=leases)
    assert seen.holds == [MANAGER]


def test_a_machine_that_is_off_says_nothing():
    seen = asked(node("etcd-0"), None)
    assert (seen.runs, seen.etcd, seen.api, seen.expires) == (False, None, None, None)
    assert texts(seen)["it says"] == "off"
    assert phases(seen) == {}


def test_a_lease_is_held_by_the_machine_whose_hostname_signed_it():
    assert held_by("api-0-10-0-0-17_8c1f", API_0)
    assert held_by("api-0_8c1f", API_0)
    assert not held_by("api-0-10-0-0-1_8c1f", API_0)
    assert not held_by("api-01_8c1f", API_0)
    assert not held_by("", API_0)
    assert not held_by(None, API_0)


def test_the_table_shows_both_sides():
    etcd = member("etcd-0", leader=True)
    api = server("api-0", (MANAGER, SCHEDULER), target="draining")
    assert texts(etcd) == {
        "machine": "etcd-0",
        "zone": "a",
        "API says": "running",
        "it says": "ready",
        "etcd": "voter",
        "revision": "42",
        "leads": "etcd",
    }
    assert texts(api) == {
        "machine": "api-0",
        "zone": "a",
        "API says": "running, draining",
        "it says": "ready",
        "etcd": "",
        "revision": "",
        "leads": "controller manager, scheduler",
    }
    assert table([etcd, api]).row_count == 2


@pytest.mark.parametrize(
    ("machine", "changes", "says"),
    [
        (member("etcd-0"), {"etcd": None}, "etcd does not answer"),
        (
            member("etcd-0"),
            {"etcd": None, "units": {"etcd.service": {"ActiveState": "failed"}}},
            "etcd is down",
        ),
        (member("etcd-0"), {"etcd": None, "units": {}}, "boots, or goes down"),
        (server("api-0"), {"api": UNREADY}, "API server does not answer"),
        (member("etcd-0"), {"fault": "isolated"}, "isolated"),
    ],
)
def test_the_table_tells_silence_from_death(machine, changes, says):
    assert texts(replace(machine, **changes))["it says"] == says


def test_a_ready_cluster_lacks_nothing():
    servers = [server("api-0", (MANAGER,)), server("api-1", (SCHEDULER,))]
    assert missing([member("etcd-0", leader=True), member("etcd-1"), *servers]) == []


def test_what_is_missing_is_told():
    snapshots = [
        member("etcd-0", role="learner"),
        replace(member("etcd-1"), etcd=None),
        asked(node("etcd-2"), None),
        replace(server("api-0"), api=UNREADY),
        server("api-1", target="initial"),
    ]
    assert missing(snapshots) == [
        "etcd-0 is a learner",
        "etcd-1 does not answer",
        "etcd-2 is off",
        "api-0 is not ready",
        "api-1 is initial at the load balancer",
        "no member leads etcd",
        f"nobody leads {MANAGER}",
        f"nobody leads {SCHEDULER}",
    ]
    assert missing([]) == ["the stack has no machines", "no member leads etcd"]
    both = [member("etcd-0", leader=True), member("etcd-1", leader=True), server("api-0")]
    assert "etcd-0 and etcd-1 leads etcd" in missing(both)


def test_phases_are_counted_from_the_start_of_systemd():
    etcd = booted(member("etcd-0"), 100, node_agent=102, etcd=110)
    assert phases(etcd) == {"agent": 2.0, "ready": 10.0}
    assert phases(booted(server("api-0"), 101, kube_apiserver=121.5)) == {"ready": 20.5}
    # A unit of the boot before, or one that never started, is not of this boot.
    assert phases(booted(member("etcd-0"), 100, etcd=99, node_agent=0)) == {}


def test_the_span_is_from_the_first_start_to_the_last_service():
    etcd = booted(member("etcd-0"), 100, etcd=110)
    api = booted(server("api-0"), 101, kube_apiserver=121.5)
    assert span([etcd, api]) == pytest.approx(21.5)
    assert span([etcd, replace(api, units={})]) is None
    assert span([]) is None
