"""What the proofs of failures say of a run: events of the journals, and new connections."""

import json

from lab.proofs.faults_under_load import FAULTS, measures, unexcused
from lab.proofs.journal_events import Line, meant, parse
from lab.proofs.load.fault_record import Event
from lab.proofs.load.history import Request

BEGAN = 1000.0
LEADS = '{"level":"info","msg":"8e9e05c52164694d became leader at term 3"}'


def entry(at: float, text: object) -> str:
    return json.dumps({"__REALTIME_TIMESTAMP": str(round(at * 1e6)), "MESSAGE": text})


def test_lines_of_a_journal_have_their_time():
    text = "\n".join([entry(BEGAN + 1.25, LEADS), entry(BEGAN + 2, [1, 2])])
    assert parse("etcd-0", text) == [
        Line("etcd-0", BEGAN + 1.25, LEADS),
        Line("etcd-0", BEGAN + 2, "[1, 2]"),
    ]


def test_events_are_told_in_order_and_once():
    ended = "ended connections to etcd-1: its leader vanished"
    down = "Server etcd/etcd-2 is DOWN, reason: Layer4 timeout"
    lines = [
        Line("api-1", BEGAN + 1.9, ended),
        Line("api-0", BEGAN + 1.5, ended),
        Line("etcd-0", BEGAN + 1.4, LEADS),
        Line("api-0", BEGAN + 0.6, down),
        Line("api-0", BEGAN + 0.6, down.replace("etcd/", "etcd-alive/")),
        Line("api-0", BEGAN + 9.0, ended),
        Line("api-2", BEGAN + 12.0, "successfully acquired lease kube-system/kube-scheduler"),
        Line("api-2", BEGAN + 13.0, "something else"),
    ]
    assert meant(lines, BEGAN) == [
        Event(0.6, "etcd-2 is DOWN for the proxies"),
        Event(1.4, "etcd-0 leads etcd, term 3"),
        Event(1.5, "connections to etcd-1 end: its leader vanished"),
        Event(9.0, "connections to etcd-1 end: its leader vanished"),
        Event(12.0, "kube-scheduler of api-2 leads"),
    ]


def request(kind: str, start: float, seconds: float, error: str = "") -> Request:
    return Request(
        client=f"{kind}-0",
        kind=kind,
        op="read",
        key="a",
        value="",
        version=0,
        start=BEGAN + start,
        seconds=seconds,
        status=0 if error else 200,
        error=error,
    )


def test_new_connections_are_served_after_the_last_that_was_not():
    seen = [
        request("fresh", -1, 9.0),
        request("fresh", 3, 7.0),
        request("fresh", 8, 0.1, "EOF"),
        request("fresh", 9, 0.1),
        request("fresh", 31, 5.0),
        request("next", 4, 1.2),
        request("kept", 5, 50.0),
    ]
    served, longest = measures(seen, {"fresh": 11.0, "next": 1.0}, BEGAN, BEGAN + 30)
    assert (served.seconds, served.met) == (8.0, True)
    assert (longest.seconds, longest.met) == (1.2, False)


def test_without_trouble_they_are_served_at_once():
    seen = [request("fresh", 3, 0.1)]
    found = measures(seen, {"fresh": 1.0, "next": 1.0}, BEGAN, BEGAN + 30)
    assert [one.seconds for one in found] == [0.0, 0.0]
    assert measures(seen, {}, BEGAN, BEGAN + 30) == []


def test_http1_alone_may_meet_a_connection_that_is_closed_in_that_instant():
    seen = [
        request("http1", 1, 0.1),
        request("http1", 2, 0.1, "EOF"),
        request("http1", 3, 0.1, "read tcp 10.0.0.1:1->10.0.0.2:2: read: connection reset by peer"),
        request("http1", 4, 0.1, "context deadline exceeded"),
        request("kept", 5, 0.1, "EOF"),
    ]
    assert unexcused(seen) == seen[3:]


def test_every_fault_has_a_goal_and_a_name_of_its_own():
    names = [case.fault.name for case in FAULTS]
    assert len(set(names)) == len(names)
    assert all(case.goals for case in FAULTS)
