from hypothesis import given
from hypothesis import strategies as st

from components.gates.freshness import SILENT, UNHEARD, Freshness
from node.contract import GATE_STALE_SECONDS


def test_what_was_there_first_does_not_count():
    freshness = Freshness()
    for now in (0.0, 2.0, 4.0):
        freshness.look({"etcd-0": 7}, now)
        assert freshness.problem("etcd-0", now) == UNHEARD


def test_a_newer_version_counts_until_it_is_stale():
    freshness = Freshness()
    freshness.look({"etcd-0": 7}, 0)
    freshness.look({"etcd-0": 8}, 10)
    assert freshness.problem("etcd-0", 10) is None
    # It was written at some time after the look at 0.
    assert freshness.problem("etcd-0", GATE_STALE_SECONDS) is None
    assert freshness.problem("etcd-0", GATE_STALE_SECONDS + 1) == SILENT
    freshness.look({"etcd-0": 8}, GATE_STALE_SECONDS + 2)
    freshness.look({"etcd-0": 9}, GATE_STALE_SECONDS + 4)
    assert freshness.problem("etcd-0", GATE_STALE_SECONDS + 4) is None


def test_a_report_found_after_a_long_silence_of_the_gate_itself_may_be_old():
    freshness = Freshness()
    freshness.look({"etcd-0": 7}, 0)
    freshness.look({"etcd-0": 20}, 600)
    assert freshness.problem("etcd-0", 600) == SILENT


def test_a_report_that_was_made_anew_begins_anew():
    freshness = Freshness()
    freshness.look({"etcd-0": 7}, 0)
    freshness.look({"etcd-0": 8}, 2)
    freshness.look({"etcd-0": 1}, 4)
    assert freshness.problem("etcd-0", 4) == UNHEARD
    freshness.look({}, 6)
    assert freshness.problem("etcd-0", 6) == "has no report in Parameter Store"
    freshness.look({"etcd-0": 9}, 8)
    assert freshness.problem("etcd-0", 8) == UNHEARD


def test_nobody_vouches_for_another():
    freshness = Freshness()
    freshness.look({"etcd-0": 1, "etcd-1": 1}, 0)
    freshness.look({"etcd-0": 2, "etcd-1": 1}, 2)
    assert freshness.problem("etcd-0", 2) is None
    assert freshness.problem("etcd-1", 2) == UNHEARD


@given(
    st.lists(st.floats(0.5, 200), min_size=1, max_size=20),
    st.lists(st.floats(0.5, 200), min_size=1, max_size=20),
)
def test_a_report_that_counts_is_no_older_than_it_may_be(writing, looking):
    """Whenever it counts, there was a write since the first look and within the limit."""
    written, moment = [0.0], 0.0
    for pause in writing:
        moment += pause
        written.append(moment)
    freshness, now = Freshness(), 1.0
    first = now
    for pause in looking:
        freshness.look({"etcd-0": sum(at <= now for at in written)}, now)
        last = max(at for at in written if at <= now)
        if freshness.problem("etcd-0", now) is None:
            assert last > first
            assert now - last <= GATE_STALE_SECONDS
        now += pause
