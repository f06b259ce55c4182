"""Prefixes: an interface gets /28 blocks of its subnet, and nobody else gets their addresses."""

from ipaddress import IPv4Network

import pytest
from botocore.exceptions import ClientError


@pytest.fixture
def subnet(ec2, network) -> str:
    """A /24 of the test's VPC."""
    (vpc,) = ec2.describe_vpcs(VpcIds=[network.vpc])["Vpcs"]
    block = list(IPv4Network(vpc["CidrBlock"]).subnets(new_prefix=24))[100]
    made = ec2.create_subnet(
        VpcId=network.vpc, CidrBlock=str(block), AvailabilityZone="eu-central-1a"
    )
    return made["Subnet"]["SubnetId"]


@pytest.fixture
def cidr(ec2, subnet) -> IPv4Network:
    return IPv4Network(ec2.describe_subnets(SubnetIds=[subnet])["Subnets"][0]["CidrBlock"])


@pytest.fixture
def launch(ec2, image, network, subnet):
    def make(count: int, kind: str = "t3.medium", **spec):
        answer = ec2.run_instances(
            ImageId=image,
            InstanceType=kind,
            MinCount=1,
            MaxCount=1,
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": subnet,
                    "Groups": [network.group],
                    "Ipv4PrefixCount": count,
                    **spec,
                }
            ],
        )
        return network.read(answer["Instances"][0]["InstanceId"])

    return make


def prefixes(instance) -> list[IPv4Network]:
    shown = instance["NetworkInterfaces"][0]["Ipv4Prefixes"]
    return [IPv4Network(one["Ipv4Prefix"]) for one in shown]


def test_they_are_blocks_of_sixteen_of_the_subnet(launch, cidr):
    one, other = launch(3), launch(5)
    given = prefixes(one) + prefixes(other)
    assert len(set(given)) == 8
    assert all(block.subnet_of(cidr) and block.prefixlen == 28 for block in given)
    assert not any(a.overlaps(b) for a in given for b in given if a != b)


def test_the_interface_itself_shows_them_too(launch, ec2):
    instance = launch(2)
    (interface,) = ec2.describe_network_interfaces(
        NetworkInterfaceIds=[instance["NetworkInterfaces"][0]["NetworkInterfaceId"]]
    )["NetworkInterfaces"]
    assert interface["Ipv4Prefixes"] == instance["NetworkInterfaces"][0]["Ipv4Prefixes"]


def test_they_come_out_of_the_reservation_and_stay_there(launch, ec2, subnet, cidr):
    upper = list(cidr.subnets())[1]
    ec2.create_subnet_cidr_reservation(
        SubnetId=subnet, Cidr=str(upper), ReservationType="prefix", Description="pods"
    )
    # Seven of eight blocks: the last address of a subnet is nobody's.
    first, second = launch(5), launch(2)
    assert all(block.subnet_of(upper) for block in prefixes(first) + prefixes(second))
    with pytest.raises(ClientError, match="InsufficientCidrBlocks"):
        launch(1)


def test_nobody_else_gets_their_addresses(launch, ec2, image, network, subnet):
    blocks = prefixes(launch(5))
    arguments = {"ImageId": image, "InstanceType": "t3.small", "MinCount": 1, "MaxCount": 1}
    for _ in range(20):
        made = ec2.run_instances(SubnetId=subnet, **arguments)["Instances"][0]
        address = IPv4Network(made["PrivateIpAddress"])
        assert not any(address.subnet_of(block) for block in blocks)


def test_no_more_than_the_type_can_have(launch):
    assert len(prefixes(launch(5))) == 5
    with pytest.raises(ClientError, match="PrivateIpAddressLimitExceeded"):
        launch(6)
    assert len(prefixes(launch(9, kind="m5.large"))) == 9
    with pytest.raises(ClientError, match="PrivateIpAddressLimitExceeded"):
        launch(10, kind="m5.large")


def test_types_without_nitro_have_none(launch):
    with pytest.raises(ClientError, match="not supported"):
        launch(1, kind="t2.medium")


def test_a_launch_that_finds_none_leaves_nothing(launch, ec2, subnet, cidr):
    ec2.create_subnet_cidr_reservation(
        SubnetId=subnet, Cidr=f"{cidr[128]}/28", ReservationType="prefix"
    )
    with pytest.raises(ClientError, match="InsufficientCidrBlocks"):
        launch(2)
    assert len(prefixes(launch(1))) == 1


def test_they_are_free_again_when_the_instance_is_gone(launch, ec2, network, subnet, cidr):
    ec2.create_subnet_cidr_reservation(
        SubnetId=subnet, Cidr=f"{cidr[128]}/28", ReservationType="prefix"
    )
    instance = launch(1)
    network.terminate(instance)
    assert prefixes(launch(1)) == prefixes(instance)


def test_a_prefix_may_be_given_by_name(launch, cidr):
    block = f"{cidr[64]}/28"
    instance = launch(0, Ipv4Prefixes=[{"Ipv4Prefix": block}])
    assert prefixes(instance) == [IPv4Network(block)]
