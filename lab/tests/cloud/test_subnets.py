"""A subnet is not deleted while something is in it, is not too small, and has one route table."""

import pytest
from botocore.exceptions import ClientError


def test_a_subnet_with_an_interface_stays(network, ec2):
    instance = network.launch()
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_subnet(SubnetId=network.subnet)
    network.terminate(instance)
    ec2.delete_subnet(SubnetId=network.subnet)


def test_a_subnet_is_at_least_a_28(network, ec2):
    block = ec2.describe_vpcs(VpcIds=[network.vpc])["Vpcs"][0]["CidrBlock"]
    small = block.replace("0.0/16", "9.0/29")
    with pytest.raises(ClientError, match=r"InvalidSubnet\.Range"):
        ec2.create_subnet(VpcId=network.vpc, CidrBlock=small)


def test_a_subnet_follows_one_route_table(network, ec2):
    first, second = (
        ec2.create_route_table(VpcId=network.vpc)["RouteTable"]["RouteTableId"] for _ in range(2)
    )
    made = ec2.associate_route_table(RouteTableId=first, SubnetId=network.subnet)
    for table in (first, second):
        with pytest.raises(ClientError, match="AlreadyAssociated"):
            ec2.associate_route_table(RouteTableId=table, SubnetId=network.subnet)
    ec2.disassociate_route_table(AssociationId=made["AssociationId"])
    ec2.associate_route_table(RouteTableId=second, SubnetId=network.subnet)


def test_a_subnet_says_how_many_addresses_are_free(network, ec2):
    def free():
        return ec2.describe_subnets(SubnetIds=[network.subnet])["Subnets"][0][
            "AvailableIpAddressCount"
        ]

    assert free() == 16 - 5
    instance = network.launch()
    assert free() == 16 - 5 - 1
    network.terminate(instance)
    assert free() == 16 - 5
