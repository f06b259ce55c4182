"""A private address is taken exactly as long as an interface holds it."""

import pytest
from botocore.exceptions import ClientError


def test_a_terminated_instance_frees_its_address(network, address):
    first = network.launch(PrivateIpAddress=address)
    network.terminate(first)

    second = network.launch(PrivateIpAddress=address)

    assert second["PrivateIpAddress"] == address
    assert second["InstanceId"] != first["InstanceId"]


def test_a_stopped_instance_keeps_its_address(network, ec2, address):
    instance = network.launch(PrivateIpAddress=address)
    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])

    with pytest.raises(ClientError, match=r"InvalidIPAddress\.InUse"):
        network.launch(PrivateIpAddress=address)
    assert network.read(instance["InstanceId"])["PrivateIpAddress"] == address


def test_a_taken_address_is_refused_and_leaves_nothing(network, ec2, address):
    network.launch(PrivateIpAddress=address)
    interfaces = len(ec2.describe_network_interfaces()["NetworkInterfaces"])
    reservations = len(ec2.describe_instances()["Reservations"])

    with pytest.raises(ClientError, match=r"InvalidIPAddress\.InUse"):
        network.launch(PrivateIpAddress=address)

    assert len(ec2.describe_network_interfaces()["NetworkInterfaces"]) == interfaces
    assert len(ec2.describe_instances()["Reservations"]) == reservations


@pytest.mark.parametrize("wrong", ["192.0.2.1", "10.0.0.200"])
def test_an_address_outside_the_subnet_is_refused(network, wrong):
    with pytest.raises(ClientError, match=r"InvalidParameterValue.*subnet's address range"):
        network.launch(PrivateIpAddress=wrong)


@pytest.mark.parametrize("last", ["0", "1", "2", "3", "15"])
def test_the_addresses_that_aws_keeps_are_refused(network, address, last):
    with pytest.raises(ClientError, match="reserved address range"):
        network.launch(PrivateIpAddress=f"{address.rpartition('.')[0]}.{last}")


def test_others_are_not_given_a_taken_address(network, address):
    lowest = address.rpartition(".")[0] + ".4"
    assert network.launch(PrivateIpAddress=lowest)["PrivateIpAddress"] == lowest
    assert network.launch()["PrivateIpAddress"] == lowest[:-1] + "5"


def test_a_full_subnet_says_so(network):
    for _ in range(11):  # a /28 without the five that AWS keeps
        network.launch()
    with pytest.raises(ClientError, match="InsufficientFreeAddressesInSubnet"):
        network.launch()


def test_gateways_and_endpoints_live_in_their_subnet_and_free_it(network, ec2):
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    gateway = ec2.create_nat_gateway(SubnetId=network.subnet, AllocationId=allocation)["NatGateway"]
    endpoint = ec2.create_vpc_endpoint(
        VpcId=network.vpc,
        ServiceName="com.amazonaws.eu-central-1.ssm",
        VpcEndpointType="Interface",
        SubnetIds=[network.subnet],
    )["VpcEndpoint"]
    prefix = network.launch()["PrivateIpAddress"].rpartition(".")[0]

    in_subnet = [{"Name": "subnet-id", "Values": [network.subnet]}]
    interfaces = ec2.describe_network_interfaces(Filters=in_subnet)["NetworkInterfaces"]
    assert sorted(i["PrivateIpAddress"] for i in interfaces) == [f"{prefix}.{n}" for n in (4, 5, 6)]

    ec2.delete_nat_gateway(NatGatewayId=gateway["NatGatewayId"])
    ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint["VpcEndpointId"]])
    left = ec2.describe_network_interfaces(Filters=in_subnet)["NetworkInterfaces"]
    assert [i["PrivateIpAddress"] for i in left] == [f"{prefix}.6"]
    ec2.release_address(AllocationId=allocation)
