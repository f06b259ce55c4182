"""What follows from the history of a load."""

import json
from dataclasses import asdict

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lab.proofs.load import history, history_verdict
from lab.proofs.load.history import Request
from lab.proofs.load.summary import ALL, percentile, stall, summaries, timeline

OPERATIONS = ("write", "read", "create", "delete")


def request(start, seconds=0.1, op="write", kind="kept", error=""):
    status = 0 if error else 200
    return Request(f"{kind}-0", kind, op, "x", "", 0, start, seconds, status, error)


def moment(op, at):
    return request(at, 0.0, op, kind="setup")


def whole(*requests, begin=0.0, end=10.0):
    return [moment("begin", begin), *requests, moment("end", end)]


FINE = history_verdict.parse(
    json.dumps(
        dict.fromkeys(history_verdict.Verdict.__annotations__, 0)
        | {"linearizable": True, "examples": []}
    )
)

requests = st.lists(
    st.builds(
        request,
        start=st.floats(0, 10),
        seconds=st.floats(0, 60),
        op=st.sampled_from(OPERATIONS),
        kind=st.sampled_from(["fresh", "kept"]),
        error=st.sampled_from(["", "refused"]),
    ),
    max_size=30,
)


def test_a_record_is_a_line_of_json():
    one = request(1.5)
    assert history.parse([json.dumps(asdict(one)) + "\n"]) == [one]
    with pytest.raises(ValueError, match="start"):
        history.parse(['{"client": "a"}'])


def test_requests_are_those_of_clients():
    ours = [request(1), request(2, op="read")]
    others = [request(1, kind="setup", op="create"), request(20, kind="final", op="read")]
    watchers = [request(1, op=op) for op in ("list", "watch", "event", "watch-end")]
    assert history.of_clients(whole(*ours, *others, *watchers)) == ours


def test_a_load_that_is_not_whole_has_no_window():
    assert history.window(whole(request(1))) == (0.0, 10.0)
    for part in (whole()[:-1], whole()[1:]):
        with pytest.raises(ValueError, match="did not begin, or did not end"):
            history.window(part)


def test_the_stall_is_between_successful_writes():
    reads = [request(n, op="read") for n in range(10)]
    failed = [request(n, error="refused") for n in range(10)]
    assert stall([*reads, *failed], 0, 10) == 10
    assert stall([*reads, request(2, 1), request(3, 5), *failed], 0, 10) == 5


def test_the_edges_of_the_load_count():
    assert stall([request(6, 1), request(7, 1)], 0, 10) == 7
    assert stall([request(1, 1), request(2, 1)], 0, 10) == 7
    # What succeeds after the load is not of it.
    assert stall([request(4, 1), request(9, 30)], 0, 10) == 5


@given(requests, st.floats(0, 5), st.floats(5, 10))
def test_a_stall_is_part_of_the_load_and_no_write_succeeds_in_it(found, begin, end):
    longest = stall(found, begin, end)
    assert 0 <= longest <= end - begin
    done = [one.end for one in found if one.op != "read" and one.ok and begin < one.end < end]
    # n successes make n + 1 gaps: one of them is at least as long as their mean.
    assert longest >= (end - begin) / (len(done) + 1) - 1e-9


@given(requests, st.sampled_from(["write", "create", "delete"]), st.floats(0, 10))
def test_another_success_makes_no_stall_longer(found, op, at):
    assert stall([*found, request(at, 0, op)], 0, 10) <= stall(found, 0, 10)


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_a_value_that_the_share_does_not_exceed(values, share):
    found = percentile(values, share)
    assert found in values
    assert sum(one <= found for one in values) >= share * len(values) - 1e-6
    assert sum(one < found for one in values) < share * len(values)


def test_percentiles():
    assert percentile([], 0.5) is None
    assert percentile([4, 1, 3, 2], 0.5) == 2
    assert percentile(range(1, 101), 0.99) == 99


def test_the_summaries_of_a_fault():
    found = summaries(
        whole(
            request(1, 0.010),
            request(2, 0.020, op="read"),
            request(3, 0.030),
            request(5, 2.5),
            request(5.1, 0.001, kind="fresh", error="refused"),
            request(5.2, 60, kind="fresh", error="no answer"),
            request(8, 0.040, op="delete", kind="fresh"),
        ),
        began=5,
        ended=7,
    )
    assert list(found) == [ALL, "fresh", "kept"]
    assert (found[ALL].requests, found[ALL].failed, found[ALL].longest) == (7, 2, 60)
    assert found[ALL].stall == pytest.approx(7.5 - 3.03)
    assert found[ALL].p50 == (20.0, 2500.0, 40.0)
    assert found[ALL].p99 == (30.0, 2500.0, 40.0)
    # No success is no latency: a refusal is faster than any answer.
    assert found["fresh"].p50 == (None, None, 40.0)
    assert found["fresh"].stall == pytest.approx(8.04)


@given(requests, st.floats(0, 10))
def test_the_kinds_add_up(found, began):
    assume(found)
    every = summaries(whole(*found), began, began + 1)
    kinds = [one for name, one in every.items() if name != ALL]
    assert every[ALL].requests == sum(one.requests for one in kinds) == len(found)
    assert every[ALL].failed == sum(one.failed for one in kinds)
    assert every[ALL].longest == max(one.longest for one in kinds)
    assert every[ALL].longest == pytest.approx(max(one.seconds for one in found), abs=1e-3)
    assert every[ALL].stall <= min(one.stall for one in kinds)


@given(requests, st.floats(-5, 15), st.sampled_from([0.1, 0.5, 1.0]))
def test_a_timeline_has_every_request_once(found, began, step):
    line = timeline(whole(*found), began, step)
    assert len(line.ok) == len(line.failed) == len(line.slowest)
    assert sum(line.ok) == sum(one.ok for one in found)
    assert sum(line.failed) == sum(not one.ok for one in found)
    longest = max((one.seconds for one in found), default=0)
    assert max(line.slowest) == pytest.approx(longest, abs=1e-3)
    # The fault begins at an edge, and the load in the first bin.
    assert line.begin / step == pytest.approx(round(line.begin / step))
    assert line.begin - 1e-6 <= 0 - began < line.begin + step + 1e-6


def test_a_timeline():
    line = timeline(
        whole(request(0.1, 0.1), request(1.9, 0.2), request(2.2, 1.0, error="refused"), end=4.0),
        began=2.0,
        step=1.0,
    )
    assert (line.begin, line.ok, line.failed) == (-2.0, [1, 0, 1, 0, 0], [0, 0, 0, 1, 0])
    assert line.slowest == [0.1, 0.2, 1.0, 0, 0]


def test_a_fine_verdict_has_no_complaint():
    assert FINE.complaint() == ""
