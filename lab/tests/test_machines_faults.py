"""Faults of the network: as rules, and as packets between real namespaces."""

import subprocess
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from lab.machines.lab_names import port
from lab.machines.network import namespaces, router
from lab.machines.network.faults import Faults, apply_faults, ruleset
from lab.tests.plugged_machines import plugged, reaches

pytestmark = pytest.mark.daemons


@pytest.fixture
def other_subnet(subnet):
    cidr = IPv4Network("10.0.224.16/28")
    return replace(subnet, id="subnet-0fedcba9876543210", zone="eu-central-1b", cidr=cidr)


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def test_no_harm_is_no_rule(subnet):
    assert "drop" not in ruleset(Faults(), [subnet], [])


def test_a_zone_is_cut_off_in_both_directions(subnet, other_subnet):
    found = lines(ruleset(Faults(zones=("eu-central-1a",)), [subnet, other_subnet], []))
    inside = "{ 10.0.224.0/28 }"
    assert [line for line in found if "drop" in line] == [
        f"ip saddr {inside} ip daddr != {inside} drop",
        f"ip saddr != {inside} ip daddr {inside} drop",
        f"ip saddr {inside} ip daddr {{ 198.18.0.10, 198.18.0.20 }} drop",
    ]


def test_a_service_is_out_of_reach_for_all(subnet):
    found = lines(ruleset(Faults(unreachable=("aws",)), [subnet], []))
    assert [line for line in found if "drop" in line] == ["ip daddr 198.18.0.10 drop"]


def test_only_machines_with_a_cable_can_be_silenced(instance):
    end = port(instance.id)
    faults = Faults(isolated=(instance.id,))
    assert ruleset(faults, [], [end]).count(" drop") == 2
    assert ruleset(faults, [], []).count(" drop") == 0


def test_of_a_member_without_peers_only_their_packets_are_lost(instance):
    end = port(instance.id)
    drops = "tcp dport 2380 drop; tcp sport 2380 drop"
    assert ruleset(Faults(peerless=(instance.id,)), [], [end]).count(drops) == 2
    both = Faults(isolated=(instance.id,), peerless=(instance.id,))
    assert drops not in ruleset(both, [], [end])


def test_faults_are_kept(tmp_path):
    file = tmp_path / "faults.json"
    assert Faults.load(file) == Faults()
    faults = Faults(zones=("a",), isolated=("i-1",), unreachable=("aws",))
    faults.save(file)
    assert Faults.load(file) == faults


@pytest.fixture
def network(tmp_path, subnet, other_subnet, instance):
    """A router with two subnets, and a machine's namespace in each."""
    other = replace(
        instance,
        id="i-0fedcba9876543210",
        subnet=other_subnet,
        mac="02:00:00:aa:bb:dd",
        address=IPv4Address("10.0.224.20"),
    )
    with plugged(tmp_path, instance, other) as names:
        yield names, instance, other


def test_harm_is_done_and_healed(network):
    names, one, other = network
    subnets = [one.subnet, other.subnet]

    def inject(what: Faults) -> None:
        apply_faults(names, what, subnets, router.links(names))

    def reached() -> tuple[bool, bool, bool]:
        """From one: the other machine, AWS, its own metadata service."""
        targets = (other.address, router.AWS, "169.254.169.254")
        return tuple(reaches(names.machine(one.id), target) for target in targets)

    # A port that nobody listens on is refused by whoever has the address, which says "here".
    assert reached() == (True, True, True)
    inject(Faults(zones=("eu-central-1b",)))
    assert reached() == (False, True, True)
    assert not reaches(names.machine(other.id), router.AWS)
    inject(Faults(zones=("eu-central-1a",)))
    assert reached() == (False, False, True)
    inject(Faults(unreachable=("aws",)))
    assert reached() == (True, False, True)
    inject(Faults(isolated=(one.id,)))
    assert reached() == (False, False, False)
    inject(Faults(peerless=(other.id,)))
    assert reached() == (True, True, True)
    assert not reaches(names.machine(one.id), other.address, 2380)
    assert not reaches(names.machine(other.id), one.address, 2380)
    inject(Faults())
    assert reaches(names.machine(one.id), other.address, 2380)
    assert reached() == (True, True, True)


def test_the_host_sees_nothing_of_it(network):
    names, one, _ = network
    host = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    assert port(one.id) not in host
    assert "s-56789abcdef0" not in host
    route = subprocess.run(
        ["ip", "-n", names.router, "route"], capture_output=True, text=True, check=True
    ).stdout
    assert "default" not in route


def test_a_socket_of_a_namespace_is_out_of_the_hosts_reach(network):
    names, one, _ = network
    with namespaces.listener(names.router, str(router.DOWNLOADS), 9) as listener:
        assert listener.getsockname() == (str(router.DOWNLOADS), 9)
        before = Path("/proc/self/ns/net").readlink()
        assert Path("/proc/thread-self/ns/net").readlink() == before
        command = ["ip", "netns", "exec", names.machine(one.id), "python3", "-c"]
        probe = f"import socket; socket.create_connection(('{router.DOWNLOADS}', 9), 5)"
        assert subprocess.run([*command, probe], check=False).returncode == 0
