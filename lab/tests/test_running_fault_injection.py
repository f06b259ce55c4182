"""Harm, as far as it is a matter of words."""

from lab.machines.network.faults import Faults, partitionable
from lab.running.fault_injection import described, with_partition
from lab.running.node_names import Node


def test_zones_and_services_are_with_partition_once():
    faults = with_partition(with_partition(Faults(), "eu-central-1a"), "aws")
    assert faults == Faults(zones=("eu-central-1a",), unreachable=("aws",))
    assert with_partition(faults, "eu-central-1a") == faults
    assert with_partition(faults, "eu-central-1b").zones == ("eu-central-1a", "eu-central-1b")


def test_zones_with_machines_and_services_can_be_with_partition(account):
    assert partitionable(account) == ["eu-central-1a", "aws", "downloads"]


def test_faults_are_told_by_the_names_of_machines(instance):
    faults = Faults(
        zones=("z",),
        isolated=(instance.id, "i-gone"),
        unreachable=("aws",),
        peerless=(instance.id,),
    )
    assert described(faults, [Node("etcd-0", instance)]) == [
        "zone z is cut off",
        "aws is unreachable for every machine",
        "etcd-0 is isolated",
        "i-gone is isolated",
        "etcd-0 is isolated from its peers",
    ]
    assert described(Faults(), []) == []
