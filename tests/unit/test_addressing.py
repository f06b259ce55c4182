from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.naming import api_servers, etcd_members
from components.network.addressing import (
    member_address,
    member_ranges,
    plan_zones,
    prefix_ranges,
    prefixes_in,
    service_address,
)
from components.network.placement import placement
from config import check

ZONES = tuple(f"eu-central-1{letter}" for letter in "abcdef")


def slots(count):
    return {zone: slot for slot, zone in enumerate(ZONES[:count])}


def placed(settings, zones=3):
    return placement(settings, slots(zones), {})


@st.composite
def vpcs(draw):
    prefix = draw(st.integers(16, 22))
    block = draw(st.integers(0, 2 ** (prefix - 8) - 1))
    return IPv4Network((int(IPv4Network("10.0.0.0/8")[0]) + block * 2 ** (32 - prefix), prefix))


def subnets(plans):
    return [
        subnet for plan in plans for subnet in (plan.private, plan.workers, plan.public, plan.etcd)
    ]


@given(cidr=vpcs(), count=st.integers(1, 6))
def test_subnets_are_disjoint_within_the_vpc_and_large_enough_for_aws(cidr, count):
    planned = subnets(plan_zones(cidr, slots(count)))
    assert len(planned) == 4 * count
    assert all(subnet.subnet_of(cidr) and subnet.prefixlen <= 28 for subnet in planned)
    assert not any(one.overlaps(other) for one, other in combinations(planned, 2))


@given(cidr=vpcs(), count=st.integers(1, 5))
def test_a_zone_that_is_appended_moves_no_other(cidr, count):
    assert plan_zones(cidr, slots(count + 1))[:count] == plan_zones(cidr, slots(count))


def test_the_plan_of_a_slash_16():
    plan = plan_zones(IPv4Network("10.0.0.0/16"), slots(3))[1]
    assert str(plan.private) == "10.0.32.0/20"
    assert str(plan.workers) == "10.0.48.0/20"
    assert str(plan.public) == "10.0.196.0/22"
    assert str(plan.etcd) == "10.0.224.16/28"


@given(cidr=vpcs(), count=st.integers(1, 6))
def test_prefixes_are_whole_blocks_of_a_subnet_of_workers_and_leave_room_for_workers(cidr, count):
    for plan in plan_zones(cidr, slots(count)):
        ranges = prefix_ranges(plan.workers)
        assert all(block.subnet_of(plan.workers) for block in ranges)
        assert not ranges[0].overlaps(ranges[1])
        held = sum(block.num_addresses for block in ranges)
        assert held == 16 * prefixes_in(plan.workers) == plan.workers.num_addresses * 3 // 4
        # AWS keeps the first four addresses and the last of a subnet. A worker has an address of
        # its own and a prefix at least.
        own = plan.workers.num_addresses - held - 4
        assert own >= prefixes_in(plan.workers)


def test_prefixes_of_a_slash_16():
    (plan,) = plan_zones(IPv4Network("10.0.0.0/16"), slots(1))
    assert [str(block) for block in prefix_ranges(plan.workers)] == ["10.0.20.0/22", "10.0.24.0/21"]
    assert prefixes_in(plan.workers) == 192


def test_a_slot_that_the_plan_does_not_have():
    with pytest.raises(ValueError, match="slots 0 to 5"):
        plan_zones(IPv4Network("10.0.0.0/16"), {"eu-central-1g": 6})


def test_a_zone_keeps_its_subnets_when_the_one_before_it_goes():
    cidr = IPv4Network("10.0.0.0/16")
    without = plan_zones(cidr, {ZONES[0]: 0, ZONES[2]: 2})
    assert without[1] == plan_zones(cidr, slots(3))[2]


@given(cidr=vpcs(), zones=st.integers(3, 6))
def test_growing_moves_no_member_and_every_address_is_usable(cidr, zones):
    network = {
        "cidr": str(cidr),
        "zones": list(ZONES[:zones]),
        "serviceCidr": "172.16.0.0/16",
        "podCidr": "172.17.0.0/16",
    }
    sizes = [
        check({"network": network, "etcd": {"size": size}}, stack="t") for size in (1, 3, 5, 7)
    ]
    tiers = [etcd_members(settings, placed(settings, zones)) for settings in sizes]
    for smaller, larger in combinations(tiers, 2):
        assert larger[: len(smaller)] == smaller
    largest = tiers[-1]
    assert len({member.address for member in largest}) == 7
    plans = {plan.zone: plan for plan in plan_zones(cidr, slots(zones))}
    for member in largest:
        etcd = plans[member.zone].etcd
        # AWS keeps the first four addresses of a subnet and the last.
        assert member.address in list(etcd)[4:-1]


@given(cidr=vpcs(), prefix=st.integers(22, 28))
def test_ranges_of_members_hold_every_member_and_nothing_that_aws_keeps(cidr, prefix):
    etcd = next(cidr.subnets(new_prefix=prefix)) if prefix > cidr.prefixlen else cidr
    held = [address for block in member_ranges(etcd) for address in block]
    assert {member_address(etcd, member) for member in range(7)} <= set(held)
    assert len(held) == len(set(held)) == 8
    assert set(held) <= set(list(etcd)[4:-1])


def test_members_have_names_zones_and_urls():
    settings = check({}, stack="test")
    members = etcd_members(settings, placed(settings))
    assert [(m.name, m.zone, str(m.address)) for m in members] == [
        ("etcd-0", "eu-central-1a", "10.0.224.4"),
        ("etcd-1", "eu-central-1b", "10.0.224.21"),
        ("etcd-2", "eu-central-1c", "10.0.224.38"),
    ]
    assert members[0].client_url == "https://10.0.224.4:2379"
    assert members[0].peer_url == "https://10.0.224.4:2380"


def test_api_servers_go_round_the_zones():
    settings = check({"api": {"size": 4}}, stack="test")
    nodes = api_servers(settings, placed(settings))
    assert [(node.name, node.zone) for node in nodes] == [
        ("api-0", "eu-central-1a"),
        ("api-1", "eu-central-1b"),
        ("api-2", "eu-central-1c"),
        ("api-3", "eu-central-1a"),
    ]


def test_fixed_addresses():
    assert str(member_address(IPv4Network("10.0.0.0/28"), 6)) == "10.0.0.10"
    assert str(service_address(IPv4Network("10.96.0.0/16"))) == "10.96.0.1"
