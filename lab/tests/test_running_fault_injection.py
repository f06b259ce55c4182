"""Harm, as far as it is a matter of words."""

from lab.machines.network.faults import Faults
from lab.running.fault_injection import cut_off, cuttable, described
from lab.running.node_names import Node


def test_zones_and_services_are_cut_off_once():
    harm = cut_off(cut_off(Faults(), "eu-central-1a"), "aws")
    assert harm == Faults(zones=("eu-central-1a",), unreachable=("aws",))
    assert cut_off(harm, "eu-central-1a") == harm
    assert cut_off(harm, "eu-central-1b").zones == ("eu-central-1a", "eu-central-1b")


def test_zones_with_machines_and_services_can_be_cut_off(account):
    assert cuttable(account) == ["eu-central-1a", "aws", "downloads"]


def test_harm_is_told_by_the_names_of_machines(instance):
    harm = Faults(zones=("z",), silent=(instance.id, "i-gone"), unreachable=("aws",))
    assert described(harm, [Node("etcd-0", instance)]) == [
        "zone z is cut off",
        "aws is unreachable for every machine",
        "etcd-0 is silent",
        "i-gone is silent",
    ]
    assert described(Faults(), []) == []
