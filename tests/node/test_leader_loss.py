"""Whose connections to etcd end, by what members say of their leader."""

from hypothesis import given
from hypothesis import strategies as st

from node.api.leader_loss import LeaderLoss, Status, Verdict

END, LEAVE = Verdict.END, Verdict.LEAVE
NAMES = ("etcd-0", "etcd-1", "etcd-2")


def watch(*rounds, every=0.25):
    """Verdicts by round; a round has for each member its leader and term, or None for silence."""
    loss = LeaderLoss()
    return [
        loss.hear(
            {
                NAMES[n]: Status(n + 1, leader, term)
                for n, said in enumerate(round_)
                if said is not None
                for leader, term in [said]
            },
            number * every,
            number * every + 0.1,
        )
        for number, round_ in enumerate(rounds)
    ]


def at(rounds):
    """Rounds in which something ends, and what."""
    return {number: verdicts for number, verdicts in enumerate(rounds) if verdicts}


OLD, NEW, NONE = (1, 1), (2, 2), (0, 2)


def test_connections_of_those_that_followed_a_leader_that_vanished_end_once():
    silent = [(None, OLD, OLD)] * 4
    after = [(None, NEW, NEW)] * 8
    assert at(watch(*[(OLD, OLD, OLD)] * 4, *silent, *after)) == {8: {"etcd-1": END, "etcd-2": END}}


def test_a_round_that_was_held_up_does_not_hide_that_the_leader_vanished():
    """It answered at the round's begin, was gone before the end, and its successor came in the
    next."""
    loss = LeaderLoss()
    old, new = [
        {name: Status(n + 1, *status) for n, name in enumerate(NAMES)} for status in (OLD, NEW)
    ]
    assert loss.hear(old, 0.0, 0.05) == {}
    assert loss.hear(old, 0.25, 1.2) == {}
    assert loss.hear({n: new[n] for n in NAMES[1:]}, 1.2, 1.25) == {"etcd-1": END, "etcd-2": END}


def test_a_leader_that_hands_over_costs_no_connection():
    assert at(watch((OLD, OLD, OLD), (OLD, NEW, NEW), *[(NEW, NEW, NEW)] * 8)) == {}


def test_nor_does_one_that_hands_over_and_stops():
    assert at(watch((OLD, OLD, OLD), *[(None, NEW, NEW)] * 8)) == {}


def test_nor_do_members_that_see_it_a_moment_apart():
    rounds = [(OLD, OLD, OLD), (OLD, NONE, NEW), (None, NEW, NEW), (None, NEW, NEW)]
    assert at(watch(*rounds)) == {}


def test_a_leader_that_is_cut_off_from_its_peers_is_left_and_its_followers_ended():
    rounds = [(OLD, OLD, OLD)] * 4 + [(OLD, NEW, NEW)] * 4 + [((0, 1), NEW, NEW)] * 8
    assert at(watch(*rounds)) == {5: {"etcd-0": LEAVE, "etcd-1": END, "etcd-2": END}}


def test_a_follower_that_is_cut_off_is_left_once_and_again_the_next_time():
    cut, healed = [(OLD, OLD, (0, 1))] * 8, [(OLD, OLD, OLD)] * 3
    assert at(watch(*healed, *cut, *healed, *cut)) == {4: {"etcd-2": LEAVE}, 15: {"etcd-2": LEAVE}}


def test_members_without_a_quorum_keep_their_connections():
    assert at(watch((OLD, OLD, OLD), *[(None, NONE, None)] * 8, *[(None, NONE, NONE)] * 8)) == {}


def test_the_first_election_of_all_ends_nothing():
    assert at(watch(*[((0, 0), (0, 0), (0, 0))] * 3, *[(OLD, OLD, OLD)] * 3)) == {}


said = st.none() | st.tuples(st.integers(0, 3), st.integers(1, 4))
rounds = st.lists(st.tuples(said, said, said), max_size=24)


@given(rounds)
def test_nothing_ends_without_a_reason(told):
    known = {}
    for number, verdicts in enumerate(watch(*told)):
        for name, one in zip(NAMES, told[number], strict=True):
            if one is not None and one[0]:
                known.setdefault(name, set()).add(one[0])
        for name, verdict in verdicts.items():
            leader, term = told[number][NAMES.index(name)]
            terms = [one[1] for one in told[number] if one is not None and one[0]]
            if verdict is LEAVE:
                # Elsewhere there is a leader, and here none, or an old one.
                assert terms
                assert leader == 0 or term < max(terms)
            else:
                assert len(known[name]) > 1


@given(st.integers(0, 2), st.integers(1, 40))
def test_while_all_agree_nothing_ends(silent, length):
    """One member may be silent, as one is whose disk is slow."""
    loss = LeaderLoss()
    leader = (silent + 1) % 3 + 1
    for number in range(length):
        heard = {NAMES[n]: Status(n + 1, leader, 5) for n in range(3) if n != silent or number % 3}
        assert loss.hear(heard, number * 0.25, number * 0.25 + 0.1) == {}
