"""Addresses of a CIDR reservation go to whom asks for them by name, and to nobody else."""

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def reserved(network, ec2, address):
    """The first four usable addresses and the next four."""
    prefix = address.rpartition(".")[0]
    blocks = [f"{prefix}.4/30", f"{prefix}.8/30"]
    for block in blocks:
        ec2.create_subnet_cidr_reservation(
            SubnetId=network.subnet, Cidr=block, ReservationType="explicit", Description="members"
        )
    return blocks


def test_who_names_no_address_gets_none_of_them(network, reserved, address):
    prefix = address.rpartition(".")[0]
    given = [network.launch()["PrivateIpAddress"] for _ in range(3)]
    assert given == [f"{prefix}.{last}" for last in (12, 13, 14)]
    with pytest.raises(ClientError, match="InsufficientFreeAddressesInSubnet"):
        network.launch()


def test_who_names_one_gets_it(network, reserved, address):
    assert network.launch(PrivateIpAddress=address)["PrivateIpAddress"] == address


def test_addresses_in_use_may_be_reserved_and_stay_in_use(network, ec2, address):
    instance = network.launch(PrivateIpAddress=address)
    ec2.create_subnet_cidr_reservation(
        SubnetId=network.subnet, Cidr=f"{address}/32", ReservationType="explicit"
    )
    assert network.read(instance["InstanceId"])["PrivateIpAddress"] == address


def test_reservations_do_not_overlap(network, ec2, reserved, address):
    with pytest.raises(ClientError, match="overlap"):
        ec2.create_subnet_cidr_reservation(
            SubnetId=network.subnet, Cidr=f"{address}/32", ReservationType="explicit"
        )


def test_they_are_read_as_they_were_made_and_freed_when_they_go(network, ec2, reserved, address):
    def listed():
        answer = ec2.get_subnet_cidr_reservations(SubnetId=network.subnet)
        return answer["SubnetIpv4CidrReservations"]

    assert [(one["Cidr"], one["ReservationType"], one["Description"]) for one in listed()] == [
        (block, "explicit", "members") for block in reserved
    ]
    for one in listed():
        ec2.delete_subnet_cidr_reservation(SubnetCidrReservationId=one["SubnetCidrReservationId"])
    assert listed() == []
    lowest = address.rpartition(".")[0] + ".4"
    assert network.launch()["PrivateIpAddress"] == lowest
