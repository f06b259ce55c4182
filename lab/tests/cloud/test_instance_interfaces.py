"""Instances given by subnet, address and groups read back as AWS gives them."""

import pytest
from botocore.exceptions import ClientError


def test_the_instance_and_its_interface_show_its_groups(network):
    instance = network.launch()

    assert [group["GroupId"] for group in instance["SecurityGroups"]] == [network.group]
    (interface,) = instance["NetworkInterfaces"]
    assert [group["GroupId"] for group in interface["Groups"]] == [network.group]
    assert interface["Attachment"]["DeleteOnTermination"] is True


def test_other_groups_can_be_given_later(network, ec2):
    instance = network.launch()
    other = ec2.create_security_group(GroupName="other", Description="other", VpcId=network.vpc)

    ec2.modify_instance_attribute(InstanceId=instance["InstanceId"], Groups=[other["GroupId"]])

    groups = network.read(instance["InstanceId"])["SecurityGroups"]
    assert [group["GroupId"] for group in groups] == [other["GroupId"]]


def test_no_public_address_means_none(network):
    instance = network.launch(
        SubnetId=network.subnet,
    )
    assert "PublicIpAddress" not in instance
    assert "Association" not in instance["NetworkInterfaces"][0]


def test_a_terminated_instance_has_no_address_and_no_interface(network, ec2):
    instance = network.launch()
    interface = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]

    network.terminate(instance)

    after = network.read(instance["InstanceId"])
    assert after["State"]["Name"] == "terminated"
    assert after["NetworkInterfaces"] == []
    assert not after.get("PrivateIpAddress")
    with pytest.raises(ClientError, match=r"InvalidNetworkInterfaceID\.NotFound"):
        ec2.describe_network_interfaces(NetworkInterfaceIds=[interface])


def test_terminating_twice_is_allowed(network):
    instance = network.launch()
    network.terminate(instance)
    network.terminate(instance)
    assert network.read(instance["InstanceId"])["State"]["Name"] == "terminated"


def test_termination_protection_of_a_launch_holds(network):
    instance = network.launch(DisableApiTermination=True)

    with pytest.raises(ClientError, match="OperationNotPermitted"):
        network.terminate(instance)
    assert network.read(instance["InstanceId"])["State"]["Name"] == "running"


def test_detailed_monitoring_can_be_switched(network, ec2):
    ids = [network.launch()["InstanceId"]]
    ec2.monitor_instances(InstanceIds=ids)
    assert network.read(ids[0])["Monitoring"]["State"] == "enabled"
    ec2.unmonitor_instances(InstanceIds=ids)
    assert network.read(ids[0])["Monitoring"]["State"] == "disabled"


def test_user_data_and_metadata_options_read_back(network, ec2):
    instance = network.launch(
        UserData="#cloud-config\n",
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
    )
    options = instance["MetadataOptions"]
    assert (options["HttpTokens"], options["HttpPutResponseHopLimit"]) == ("required", 1)
    answer = ec2.describe_instance_attribute(
        InstanceId=instance["InstanceId"], Attribute="userData"
    )
    assert answer["UserData"]["Value"] == "I2Nsb3VkLWNvbmZpZwo="


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"ImageId": "ami-00000000000000000"}, "InvalidAMIID"),
        ({"InstanceType": "t3.gigantic"}, "InvalidInstanceType"),
    ],
)
def test_what_does_not_exist_is_refused(network, wrong, error):
    with pytest.raises(ClientError, match=error):
        network.launch(**wrong)
