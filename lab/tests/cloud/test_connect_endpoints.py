"""EC2 Instance Connect endpoints exist, hold an interface and go with it."""

import pytest
from botocore.exceptions import ClientError


def test_life_of_an_endpoint(network, ec2):
    made = ec2.create_instance_connect_endpoint(
        SubnetId=network.subnet, SecurityGroupIds=[network.group], PreserveClientIp=False
    )["InstanceConnectEndpoint"]
    endpoint_id = made["InstanceConnectEndpointId"]

    (read,) = ec2.describe_instance_connect_endpoints(InstanceConnectEndpointIds=[endpoint_id])[
        "InstanceConnectEndpoints"
    ]
    assert (read["State"], read["SubnetId"], read["VpcId"]) == (
        "create-complete",
        network.subnet,
        network.vpc,
    )
    assert read["SecurityGroupIds"] == [network.group]
    with pytest.raises(ClientError, match="DependencyViolation"):
        ec2.delete_security_group(GroupId=network.group)

    ec2.delete_instance_connect_endpoint(InstanceConnectEndpointId=endpoint_id)
    with pytest.raises(ClientError, match=r"InvalidInstanceConnectEndpointId\.NotFound"):
        ec2.describe_instance_connect_endpoints(InstanceConnectEndpointIds=[endpoint_id])
    ec2.delete_security_group(GroupId=network.group)
