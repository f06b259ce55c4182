"""The place in the VPC from which people reach the cluster."""

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

import pytest

from lab.lab_errors import LabError
from lab.running.inside import command
from lab.running.vpc_client import Client, choose_subnet, free_address


@pytest.fixture
def two_zones(account, instance, subnet):
    large = replace(subnet, id="subnet-b", zone="eu-central-1b", cidr=IPv4Network("10.0.0.0/20"))
    other = replace(instance, id="i-b", subnet=large)
    return replace(account, instances={instance.id: instance, other.id: other})


def test_it_is_where_most_addresses_are(two_zones):
    assert choose_subnet(two_zones, []).id == "subnet-b"


def test_it_is_not_in_a_zone_that_is_cut_off(two_zones, subnet):
    assert choose_subnet(two_zones, ["eu-central-1b"]) == subnet
    with pytest.raises(LabError, match="No zone with machines is left"):
        choose_subnet(two_zones, ["eu-central-1a", "eu-central-1b"])


def test_its_address_is_nobodys():
    cidr = IPv4Network("10.0.0.0/29")
    # The first four and the last are AWS's.
    assert free_address(cidr, []) == IPv4Address("10.0.0.6")
    assert free_address(cidr, [IPv4Address("10.0.0.6")]) == IPv4Address("10.0.0.5")
    with pytest.raises(LabError, match=r"^Every address of 10\.0\.0\.0/29 is taken\.$"):
        free_address(cidr, map(IPv4Address, ("10.0.0.4", "10.0.0.5", "10.0.0.6")))


def test_a_program_there_gets_a_resolver_of_its_own():
    there = Client("halab-x-client-y", IPv4Address("10.0.0.6"), Path("/s/y.conf"))
    words = there.command(["kubectl", "get", "a b"])
    assert words[:4] == ["nsenter", "--net=/run/netns/halab-x-client-y", "unshare", "--mount"]
    assert words[-4:] == ["/s/y.conf", "kubectl", "get", "a b"]


def test_a_program_in_a_machine_sees_nothing_of_this_computers_environment():
    words = command(7, ["etcdctl", "version"], "xterm")
    assert words[:2] == ["nsenter", "--target=7"]
    assert {"--mount", "--uts", "--ipc", "--net", "--pid"} < set(words)
    environment = words[words.index("-i") + 1 : -2]
    assert words[words.index("-i") - 1] == "env"
    assert {one.partition("=")[0] for one in environment} == {
        "PATH",
        "HOME",
        "USER",
        "LANG",
        "TERM",
    }
    assert words[-2:] == ["etcdctl", "version"]
