"""The recorded session of the README: shortened, and nothing of it lost."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from docs.recording.record import FRAME, LONGEST, WAITING, frames, shortened

pauses = st.lists(st.tuples(st.floats(0, 300), st.text(max_size=3)), max_size=50)


def recorded(steps):
    at, events = 0.0, []
    for pause, text in steps:
        at += pause
        events.append((at, text))
    return events


@given(pauses)
def test_every_character_is_shown_in_its_order_and_nothing_stands_too_long(steps):
    events = recorded(steps)
    shown = list(shortened(frames(events)))
    assert "".join(text for _, text in shown) == "".join(text for _, text in events)
    times = [0.0, *(at for at, _ in shown)]
    # A sum of pauses is rounded: two of 1.5 s may stand 1.5000000000000004 s apart.
    assert all(0 <= after - before <= LONGEST + 1e-9 for before, after in pairwise(times))


def test_minutes_of_a_progress_display_pass_in_seconds():
    display = [(n * FRAME / 5, "x") for n in range(5 * 240)]
    (*_, (end, _)) = shortened(frames(display))
    assert end < 240 * WAITING
