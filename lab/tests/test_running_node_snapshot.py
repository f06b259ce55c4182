"""What is read from machines, and what is shown and waited for."""

from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Address

import pytest

from lab.running.node_names import Node
from lab.running.node_snapshot import NodeSnapshot, held_by, read
from lab.running.ready import missing
from lab.running.table import COLUMNS, row, table
from lab.running.timeline import phases, span
from lab.tests.snapshot_samples import MANAGER, SCHEDULER


def unit(seconds: float, state: str = "active") -> dict[str, str]:
    return {"ActiveState": state, "ActiveEnterTimestampMonotonic": str(int(seconds * 1e6))}


@pytest.fixture
def etcd(instance):
    def make(name: str = "etcd-0", *, leader: bool = True, learner: bool = False, **changes):
        words = {
            "userspace": 100_000_000,
            "units": {"network-online.target": unit(102), "etcd.service": unit(110)},
            "certificates": {
                "ca.crt": "Nov 22 00:00:00 2036 GMT",
                "peer.crt": "Nov  4 12:00:00 2027 GMT",
            },
            "etcd": {
                "status": {
                    "header": {"member_id": 7, "revision": 42},
                    "leader": 7 if leader else 8,
                    "isLearner": learner,
                    "dbSize": 4096,
                },
                "members": [
                    {"ID": 7, "name": "etcd-0"},
                    {"ID": 8, "name": "", "isLearner": True},
                ],
            },
            "api": None,
        } | changes
        return read(Node(name, instance), words, fault=None, target=None, check="ok")

    return make


@pytest.fixture
def api(instance):
    def make(name: str = "api-0", target: str = "healthy", **changes):
        node = Node(name, replace(instance, address=IPv4Address("10.0.0.17")))
        words = {
            "userspace": 101_000_000,
            "units": {"kube-apiserver.service": unit(121.5)},
            "certificates": {"apiserver.crt": "Dec  1 00:00:00 2026 GMT"},
            "etcd": None,
            "api": {
                "ready": True,
                "leases": {MANAGER: "api-0-10-0-0-17_x", SCHEDULER: "api-0_y"},
            },
        } | changes
        return read(node, words, fault=None, target=target, check="ok")

    return make


def texts(snapshot: NodeSnapshot) -> dict[str, str]:
    return dict(zip(COLUMNS, (text for text, _ in row(snapshot, "eu-central-1")), strict=True))


def test_a_member_is_read_from_its_own_words(etcd):
    seen = etcd()
    assert (seen.etcd.role, seen.etcd.leader, seen.etcd.revision) == ("voter", True, 42)
    # A member that never started has no name yet.
    assert seen.etcd.members == {"etcd-0": "voter", "8": "learner"}
    assert seen.expires == datetime(2027, 11, 4, 12, tzinfo=UTC)
    assert seen.holds == []


def test_a_machine_that_is_off_says_nothing(instance):
    seen = read(Node("etcd-0", instance), None, fault=None, target=None, check=None)
    assert (seen.runs, seen.etcd, seen.api, seen.expires) == (False, None, None, None)
    assert texts(seen)["it says"] == "off"
    assert phases(seen) == {}


def test_a_lease_is_held_by_the_machine_whose_hostname_signed_it(instance):
    node = Node("api-0", replace(instance, address=IPv4Address("10.0.0.17")))
    assert held_by("api-0-10-0-0-17_8c1f", node)
    assert held_by("api-0_8c1f", node)
    assert not held_by("api-0-10-0-0-1_8c1f", node)
    assert not held_by("api-01_8c1f", node)
    assert not held_by("", node)
    assert not held_by(None, node)


def test_the_table_shows_both_sides(etcd, api):
    assert texts(etcd()) == {
        "machine": "etcd-0",
        "zone": "a",
        "API says": "running",
        "it says": "ready",
        "etcd": "voter",
        "revision": "42",
        "leads": "etcd",
    }
    assert texts(api(target="draining")) == {
        "machine": "api-0",
        "zone": "a",
        "API says": "running, draining",
        "it says": "ready",
        "etcd": "",
        "revision": "",
        "leads": "controller manager, scheduler",
    }
    assert table([etcd(), api()]).row_count == 2


def test_the_table_tells_silence_from_death(etcd, api):
    active = {"etcd.service": unit(1)}
    assert texts(etcd(etcd=None, units=active))["it says"] == "etcd does not answer"
    failed = {"etcd.service": unit(1, "failed")}
    assert texts(etcd(etcd=None, units=failed))["it says"] == "etcd is down"
    assert texts(etcd(etcd=None, units={}))["it says"] == "boots, or goes down"
    unready = {"ready": False, "leases": {MANAGER: None, SCHEDULER: None}}
    assert texts(api(api=unready))["it says"] == "API server does not answer"
    assert texts(replace(etcd(), fault="isolated"))["it says"] == "isolated"


def test_a_member_without_quorum_sees_no_leader(etcd):
    status = {"header": {"member_id": 7, "revision": 42}, "leader": 0}
    seen = etcd(etcd={"status": status, "members": None})
    assert (texts(seen)["etcd"], texts(seen)["it says"]) == ("voter", "sees no leader")


def test_a_ready_cluster_lacks_nothing(etcd, api):
    assert missing([etcd(), etcd("etcd-1", leader=False), api()]) == []


def test_what_is_missing_is_told(etcd, api, instance):
    off = read(Node("etcd-2", instance), None, fault=None, target=None, check=None)
    unready = {"ready": False, "leases": {MANAGER: None, SCHEDULER: None}}
    snapshots = [
        etcd(leader=False, learner=True),
        etcd("etcd-1", etcd=None),
        off,
        api(api=unready),
        api("api-1", target="initial"),
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
    assert "etcd-0 and etcd-1 leads etcd" in missing([etcd(), etcd("etcd-1"), api()])


def test_phases_are_counted_from_the_start_of_systemd(etcd, api):
    assert phases(etcd()) == {"network": 2.0, "ready": 10.0}
    assert phases(api()) == {"ready": 20.5}
    # A unit of the boot before, or one that never started, is not of this boot.
    assert phases(etcd(units={"etcd.service": unit(99), "network-online.target": unit(0)})) == {}


def test_the_span_is_from_the_first_start_to_the_last_service(etcd, api):
    assert span([etcd(), api()]) == pytest.approx(21.5)
    assert span([etcd(), api(units={})]) is None
    assert span([]) is None
