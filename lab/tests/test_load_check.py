"""`apiload check`, on histories made by hand: moments are seconds, and `x` is the one object."""

import json
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lab.lab_errors import LabError
from lab.proofs.load.api_load import check


def record(op, start, end, value="", **fields):
    base = {"client": "a-0", "kind": "a", "op": op, "key": "x", "value": value, "version": 0}
    base |= {"start": 1e9 + start, "seconds": end - start, "status": 200, "error": ""}
    return base | fields


def write(start, end, value, **fields):
    return record("write", start, end, value, **fields)


def read(start, end, value, **fields):
    return record("read", start, end, value, **fields)


def final(value, at=100, **fields):
    return read(at, at + 1, value, client="final-0", kind="final", **fields)


TIMEOUT = {"status": 0, "error": "context deadline exceeded"}
GONE = {"status": 404, "error": "not found"}


@pytest.fixture
def kept(tmp_path):
    """The file that records are kept in."""

    def keep(*records):
        path = tmp_path / "history.jsonl"
        path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
        return path

    return keep


@pytest.fixture
def judge(apiload_binaries, kept):
    """The verdict on records; the exit code says the same."""

    def judged(*records):
        path = kept(*records)
        program = apiload_binaries / "apiload"
        verdict = check(program, path)
        done = subprocess.run([program, "check", path], capture_output=True, check=False)
        assert done.returncode == (1 if verdict.complaint() else 0)
        return verdict

    return judged


def damage(verdict):
    return (
        verdict.linearizable,
        verdict.lost_acknowledged_writes,
        verdict.stale_reads,
        verdict.not_read_finally,
    )


FINE = (True, 0, 0, 0)


def test_a_fine_history(judge):
    verdict = judge(
        write(0, 1, "1"), read(2, 3, "1"), write(4, 5, "2"), read(4, 5, "1"), final("2")
    )
    assert damage(verdict) == FINE
    assert (verdict.objects, verdict.checked_operations, verdict.examples) == (1, 5, [])


def test_a_lost_write(judge):
    verdict = judge(write(0, 1, "1"), write(2, 3, "2"), final("1"))
    assert damage(verdict) == (False, 1, 0, 0)
    assert 'x: the acknowledged write of "2" is lost' in verdict.examples
    assert "1 lost acknowledged writes" in verdict.complaint()


def test_a_lost_write_that_was_overwritten_shows_in_the_versions(judge):
    verdict = judge(write(0, 1, "1", version=7), write(2, 3, "2", version=7), final("2", version=7))
    assert damage(verdict) == (True, 1, 0, 0)


def test_the_first_write_is_lost(judge):
    verdict = judge(write(0, 1, "1"), final("", **GONE))
    assert damage(verdict) == (False, 1, 0, 0)


def test_a_stale_read(judge):
    verdict = judge(write(0, 1, "1"), write(2, 3, "2"), read(4, 5, "1"), final("2"))
    assert damage(verdict) == (False, 0, 1, 0)


def test_a_read_is_stale_once_another_has_seen_more(judge):
    verdict = judge(
        write(0, 1, "1"), write(2, 9, "2"), read(3, 4, "2"), read(5, 6, "1"), final("2")
    )
    assert verdict.linearizable is False


@pytest.mark.parametrize("status", [0, 429, 500, 503, 504])
def test_an_unknown_write_may_show_up_later(judge, status):
    failed = {"status": status, "error": "no answer"}
    verdict = judge(
        write(0, 1, "1"),
        write(2, 3, "2", **failed),
        read(4, 5, "1"),
        read(6, 7, "2"),
        final("2"),
    )
    assert damage(verdict) == FINE
    assert verdict.unknown_writes == 1


def test_an_unknown_write_may_never_show_up(judge):
    verdict = judge(write(0, 1, "1"), write(2, 3, "2", **TIMEOUT), final("1"))
    assert damage(verdict) == FINE


def test_an_unknown_write_does_not_go_away_again(judge):
    verdict = judge(
        write(0, 1, "1"), write(2, 3, "2", **TIMEOUT), read(4, 5, "2"), read(6, 7, "1"), final("2")
    )
    assert damage(verdict) == (False, 0, 1, 0)


def test_many_unknown_writes_are_decided_at_once(judge):
    unknown = [write(n, n + 0.5, f"u{n}", client=f"b-{n}", **TIMEOUT) for n in range(60)]
    reads = [read(60 + n, 60.5 + n, f"u{n}") for n in range(30)]
    assert damage(judge(*unknown, *reads, final("u29"))) == FINE
    assert judge(*unknown, *reads, read(95, 96, "u3"), final("u29")).linearizable is False


def test_an_unknown_write_takes_effect_once(judge):
    verdict = judge(
        write(0, 1, "1"), write(2, 3, "2", **TIMEOUT), read(4, 5, "2"), write(6, 7, "3"), final("2")
    )
    assert damage(verdict) == (False, 1, 0, 0)


def test_what_is_still_under_way_does_not_come_before_what_is_read(judge):
    verdict = judge(
        write(0, 1, "1", **TIMEOUT),
        read(2, 3, "1"),
        write(4, 20, "2"),
        read(5, 7, "1"),
        final("2"),
    )
    assert damage(verdict) == FINE


OUTCOMES = {"answered": {}, "unknown": TIMEOUT}


@st.composite
def races(draw):
    """A few overlapping writes, known or not, and reads of what may be there; all end."""
    spans = st.tuples(st.integers(0, 9), st.integers(1, 9))
    writes = draw(st.lists(st.tuples(spans, st.sampled_from([*OUTCOMES])), max_size=3))
    values = ["", *(str(number) for number in range(len(writes)))]
    reads = draw(st.lists(st.tuples(spans, st.sampled_from(values)), max_size=5))
    return [
        *(
            write(start, start + length + 0.5, str(number), **OUTCOMES[how])
            for number, ((start, length), how) in enumerate(writes)
        ),
        *(read(start, start + length + 0.5, value) for (start, length), value in reads),
        final(draw(st.sampled_from(values))),
    ]


def explained(state, left):
    """Whether some order explains a history: the definition, tried out in full."""
    certain = [one for one in left if not one["error"]]
    if not certain:
        return True
    first_end = min(one["start"] + one["seconds"] for one in certain)
    for one in left:
        if one["start"] > first_end or (one["op"] == "read" and one["value"] != state):
            continue
        rest = [other for other in left if other is not one]
        if explained(one["value"], rest):
            return True
    return False


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(history=races())
def test_it_agrees_with_the_definition(apiload_binaries, kept, history):
    verdict = check(apiload_binaries / "apiload", kept(*history))
    assert verdict.linearizable == explained("", history)


def test_a_refused_write_must_not_show_up(judge):
    refused = {"status": 409, "error": "conflict"}
    assert damage(judge(write(0, 1, "1"), write(2, 3, "2", **refused), final("1"))) == FINE
    verdict = judge(write(0, 1, "1"), write(2, 3, "2", **refused), final("2"))
    assert verdict.linearizable is False


def test_a_failed_read_says_nothing(judge):
    verdict = judge(write(0, 1, "1"), read(2, 3, "", **TIMEOUT), final("1"))
    assert damage(verdict) == FINE
    assert verdict.checked_operations == 2


def test_objects_that_come_and_go(judge):
    created, deleted = record("create", 0, 1, "1", status=201), record("delete", 2, 3)
    assert damage(judge(created, deleted, final("", **GONE))) == FINE
    assert damage(judge(created, final("1"))) == FINE
    assert damage(judge(created, record("delete", 2, 3, **TIMEOUT), final("1"))) == FINE
    assert damage(judge(created, record("delete", 2, 3, **TIMEOUT), final("", **GONE))) == FINE
    # It was created, and is not there to be deleted.
    assert judge(created, record("delete", 2, 3, **GONE), final("", **GONE)).linearizable is False
    # It was deleted, and is there.
    assert damage(judge(created, deleted, final("1"))) == (False, 1, 0, 0)


def test_what_was_not_read_in_the_end_is_not_known(judge):
    verdict = judge(write(0, 1, "1"), read(2, 3, "1"))
    assert damage(verdict) == (True, 0, 0, 1)


def test_objects_are_judged_one_by_one(judge):
    verdict = judge(
        write(0, 1, "1"), write(2, 3, "2", key="y"), final("1"), final("2", key="y"), final("1")
    )
    assert damage(verdict) == FINE
    assert verdict.objects == 2


def seen(op, version, client="watch-0", **fields):
    return record(op, version, version, version=version, client=client, **fields)


def watched(verdict):
    return verdict.watched_events, verdict.missed_events, verdict.reordered_events


def test_watches_that_saw_everything(judge):
    written = [write(n, n + 1, str(n), version=n) for n in (3, 5, 7)]
    first = [seen("watch", 2), seen("event", 3), seen("watch-end", 3, error="lost")]
    # It begins again after what it saw; what comes after its end is not for it to tell.
    second = [seen("watch", 3), seen("event", 5), seen("watch-end", 5)]
    verdict = judge(*written, *first, *second, final("7", version=7))
    assert watched(verdict) == (2, 0, 0)
    assert verdict.complaint() == ""


def test_a_watch_that_missed_an_event(judge):
    written = [write(n, n + 1, str(n), version=n) for n in (3, 5)]
    last = final("5", version=5)
    assert watched(judge(*written, seen("watch", 2), seen("event", 5), last)) == (1, 1, 0)
    bookmark = seen("bookmark", 5)
    assert watched(judge(*written, seen("watch", 2), bookmark, last)) == (0, 2, 0)
    # What only another watcher saw was there, too.
    other = [seen("watch", 2, "watch-1"), seen("event", 4, "watch-1", key="y")]
    verdict = judge(*other, seen("watch", 2), seen("bookmark", 6))
    assert watched(verdict) == (1, 1, 0)
    assert "1 missed events" in verdict.complaint()


def test_a_watch_out_of_order(judge):
    events = [seen("watch", 2), seen("event", 5), seen("event", 3), seen("event", 5)]
    assert watched(judge(*events)) == (3, 0, 2)


def test_a_watch_that_was_refused_claims_nothing(judge):
    written = write(3, 4, "1", version=3)
    refused = seen("watch", 2, status=410, error="Gone")
    verdict = judge(written, refused, seen("watch", 5), seen("watch-end", 5), final("1", version=3))
    assert watched(verdict) == (0, 0, 0)


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "no such file or directory"), ("{\n", "line 1: unexpected end of JSON input")],
)
def test_records_that_cannot_be_read(apiload_binaries, tmp_path, content, said):
    path = tmp_path / "history.jsonl"
    if content is not None:
        path.write_text(content)
    with pytest.raises(LabError, match=f"were not judged: apiload: .*{said}$"):
        check(apiload_binaries / "apiload", path)
