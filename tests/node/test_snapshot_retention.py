"""Which snapshots are kept: properties of the rule, and a bucket under it for months."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from node.etcd.snapshot_bucket import BUMP, Snapshot
from node.etcd.snapshot_retention import ALL, DAY, superfluous

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)

keep_days = st.integers(1, 400)


def snapshot(minutes_ago, revision, late=0):
    """One that was named so many minutes ago, and whose object is so much younger."""
    time = f"{NOW - timedelta(minutes=minutes_ago):%Y%m%dT%H%M%SZ}"
    age = max(0, minutes_ago - late) * 60.0
    return Snapshot(revision, time, f"snapshots/etcd-0/{time}-{revision}.db", age)


buckets = st.lists(
    st.builds(
        snapshot,
        st.integers(0, 500 * 24 * 60),
        st.integers(1, 5 * BUMP),
        st.sampled_from([0, 0, 0, 100_000]),
    ),
    max_size=60,
    unique_by=lambda s: s.key,
)


def kept(bucket, days):
    gone = superfluous(bucket, days)
    assert len(set(gone)) == len(gone)
    return [s for s in bucket if s.key not in gone]


@given(buckets, keep_days)
def test_the_newest_and_all_young_ones_stay(bucket, days):
    left = kept(bucket, days)
    assert {s.key for s in bucket if s.age <= min(ALL, days * DAY)} <= {s.key for s in left}
    if bucket:
        assert max(bucket) in left


@given(buckets, keep_days)
def test_no_day_within_the_days_to_keep_loses_its_last(bucket, days):
    left = kept(bucket, days)
    for s in bucket:
        if s.age <= days * DAY:
            newer = [o for o in left if o.time[:8] == s.time[:8] and o >= s]
            assert newer, s
            assert any(o.revision // BUMP == s.revision // BUMP for o in newer)


@given(buckets, keep_days)
def test_what_is_old_is_one_a_day_and_founding_and_nothing_after_the_days_to_keep(bucket, days):
    left = [s for s in kept(bucket, days) if s.age > min(ALL, days * DAY) and s != max(bucket)]
    assert len({(s.time[:8], s.revision // BUMP) for s in left}) == len(left)
    assert all(s.age <= days * DAY for s in left)


@given(buckets, keep_days, st.randoms())
def test_order_and_repetition_change_nothing(bucket, days, random):
    shuffled = random.sample(bucket, len(bucket))
    left = kept(bucket, days)
    assert set(superfluous(shuffled, days)) == set(superfluous(bucket, days))
    assert superfluous(left, days) == []


def run(days):
    """A bucket that is thinned out after the snapshot of every hour; what is in it in the end."""
    bucket = []
    for taken in range(0, days * 1440, 60):
        time = f"{NOW + timedelta(minutes=taken):%Y%m%dT%H%M%SZ}"
        bucket.append((taken, 1 + taken, time))
        seen = [Snapshot(r, t, f"{t}-{r}", (taken - when) * 60.0) for when, r, t in bucket]
        gone = set(superfluous(seen, 30))
        bucket = [item for item, s in zip(bucket, seen, strict=True) if s.key not in gone]
    return bucket


def test_after_months_there_are_two_days_and_a_month():
    bucket = run(days=100)
    assert 48 + 27 <= len(bucket) <= 49 + 30
    days = {time[:8] for _, _, time in bucket}
    assert len(days) >= 30, "no day is missing"


def test_after_months_of_silence_everything_is_still_there():
    """Thinning out is asked only after a new one: the time of silence itself deletes nothing, and
    then the newest of before is there with it."""
    before = [snapshot(60 * 24 * days, 1000 - days) for days in range(200, 230)]
    assert superfluous([*before, snapshot(0, 5000)], 400) == []
    first = superfluous([*before, snapshot(0, 5000)], 30)
    assert set(first) == {s.key for s in before}
    assert max(before).key not in superfluous(before, 30)


def test_the_last_of_before_a_restore_stays_beside_the_first_of_after():
    wrong = snapshot(60 * 24 * 5 + 10, BUMP + 7)
    right = snapshot(60 * 24 * 5 + 30, 900)
    assert superfluous([wrong, right, snapshot(0, BUMP + 500)], 30) == []
