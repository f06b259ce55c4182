"""What was chosen once stays chosen, whatever sizes and zones come after it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from components.naming import etcd_members
from components.network.placement import choose_zones, place, placement
from config import check

ZONES = [f"eu-central-1{letter}" for letter in "abcdef"]

sizes = st.sampled_from((1, 3, 5, 7))
offered = st.lists(st.sampled_from(ZONES), unique=True).map(sorted)
numbers = st.tuples(st.sampled_from((2, 3)), offered)
lists = st.lists(st.sampled_from(ZONES), min_size=2, unique=True).map(lambda zones: (zones, ZONES))
steps = st.lists(st.tuples(sizes, st.integers(1, 9), numbers | lists), min_size=2, max_size=8)


def settings(etcd, api):
    return check({"etcd": {"size": etcd}, "api": {"size": api}, "protect": False}, stack="t")


@given(steps=steps)
def test_nothing_that_exists_moves_unless_its_zone_is_taken_away(steps):
    slots, nodes, before = {}, {}, None
    for etcd, api, (wanted, available) in steps:
        chosen = choose_zones(wanted, slots, available)
        if not chosen or (isinstance(wanted, int) and len(chosen) < wanted):
            continue  # the look-up refuses it, and nothing changes
        given_up = slots.keys() - chosen.keys()
        if isinstance(wanted, int):
            assert not given_up or len(slots) > wanted
        sized = settings(etcd, api)
        after = placement(sized, chosen, nodes)
        assert all(chosen[zone] == slots[zone] for zone in slots.keys() & chosen.keys())
        assert len(set(chosen.values())) == len(chosen)
        for name in nodes.keys() & after.nodes.keys():
            assert after.nodes[name] == nodes[name] or nodes[name] in given_up
        members = {m.name: m for m in etcd_members(sized, after)}
        for name in members.keys() & (before or {}).keys():
            assert members[name] == before[name] or before[name].zone in given_up
        slots, nodes, before = chosen, dict(after.nodes), members


@given(zones=st.integers(2, 6), earlier=sizes, later=sizes)
def test_a_zone_that_is_appended_moves_nobody_and_takes_who_comes_next(zones, earlier, later):
    few = choose_zones(ZONES[:zones], {}, ZONES)
    old = placement(settings(earlier, 2), few, {})
    new = placement(settings(later, 2), choose_zones(ZONES, few, ZONES), old.nodes)
    load = [list(new.nodes.values()).count(zone) for zone in new.zones]
    stayed = [name for name in old.nodes if name in new.nodes]
    assert all(new.nodes[name] == old.nodes[name] for name in stayed)
    if len(stayed) == 2:
        assert max(load) - min(load) <= 2


def test_the_first_zones_are_taken_in_order_and_nodes_go_round_them():
    slots = choose_zones(3, {}, ZONES)
    assert slots == {"eu-central-1a": 0, "eu-central-1b": 1, "eu-central-1c": 2}
    assert list(placement(settings(5, 2), slots, {}).nodes.values()) == [
        *ZONES[:3],
        *ZONES[:2],
        *ZONES[:2],
    ]


def test_zones_that_aws_does_not_list_today_stay():
    slots = choose_zones(3, {}, ZONES)
    assert choose_zones(3, slots, []) == slots
    assert choose_zones(ZONES[:3], slots, ["eu-central-1d"]) == slots


def test_another_order_of_the_same_zones_changes_nothing():
    slots = choose_zones(ZONES[:3], {}, ZONES)
    assert choose_zones(ZONES[2::-1], slots, ZONES) == slots


def test_new_zones_get_no_slot_of_a_zone_that_goes_while_there_are_others():
    slots = {"eu-central-1a": 0, "eu-central-1b": 1, "eu-central-1c": 2}
    changed = choose_zones(["eu-central-1a", "eu-central-1c", "eu-central-1d"], slots, ZONES)
    assert changed == {"eu-central-1a": 0, "eu-central-1c": 2, "eu-central-1d": 3}
    full = {zone: slot for slot, zone in enumerate(ZONES)}
    swapped = choose_zones([*ZONES[1:], "eu-central-1g"], full, ZONES)
    assert swapped["eu-central-1g"] == 0


def test_who_comes_later_goes_to_the_zone_with_the_fewest():
    before = {"etcd-0": "a", "etcd-1": "b", "etcd-2": "a"}
    names = [f"etcd-{number}" for number in range(7)]
    placed = place(names, ["a", "b", "c"], before)
    assert {name: placed[name] for name in before} == before
    assert [placed[name] for name in names[3:]] == ["c", "b", "c", "a"]


def test_a_member_that_left_and_comes_back_is_a_new_one():
    moves = [{"etcd-0": "a", "etcd-1": "b", "etcd-2": "a"}]
    moves.append(place(["etcd-0"], ["a", "b", "c"], moves[-1]))
    moves.append(place(["etcd-0", "etcd-1", "etcd-2"], ["a", "b", "c"], moves[-1]))
    assert all(one["etcd-0"] == other["etcd-0"] for one, other in pairwise(moves))
    assert moves[-1] == {"etcd-0": "a", "etcd-1": "b", "etcd-2": "c"}


def test_the_quorum_arithmetic_is_that_of_the_members_where_they_are():
    """Over three zones, and yet one of them holds the majority."""
    slots = choose_zones(ZONES[:3], {}, ZONES)
    before = {"etcd-0": ZONES[0], "etcd-1": ZONES[1], "etcd-2": ZONES[0]}
    quorum = placement(settings(3, 2), slots, before).quorum(settings(3, 2))
    assert quorum.members_per_zone == (2, 1, 0)
    assert quorum.zones_that_may_fail == 0
    assert "(2-1-0)" in quorum.describe()
