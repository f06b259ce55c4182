"""What exists only when a stack asks for it."""

import pytest

from tests.recording import ZONES
from tests.unit.public_keys import ed25519

NO_NAT = {
    "network": {"nat": "none"},
    "ami": "ami-0123456789abcdef0",
    "artifacts": {"mirror": "https://mirror.internal"},
}


def test_without_nat_every_aws_api_that_nodes_call_has_an_endpoint(deploy_stack):
    cluster = deploy_stack(NO_NAT)
    endpoints = cluster.of("VpcEndpoint")
    services = ("ssm", "kms", "ec2", "elasticloadbalancing", "monitoring")
    assert set(endpoints) == {"test-s3", *(f"test-{service}" for service in services)}
    for service in services:
        endpoint = endpoints[f"test-{service}"]
        assert endpoint["serviceName"] == f"com.amazonaws.eu-central-1.{service}"
        assert endpoint["vpcEndpointType"] == "Interface"
        assert endpoint["privateDnsEnabled"] is True
        assert endpoint["subnetIds"] == [f"test-private-{zone}-id" for zone in ZONES]
        assert endpoint["securityGroupIds"] == ["test-endpoints-id"]
    waits_for = cluster.registrations("Instance")["test-etcd-0"].dependencies
    assert cluster.urn("VpcEndpoint", "test-ssm") in waits_for


def test_with_nat_there_is_the_free_endpoint_only(cluster):
    assert list(cluster.of("VpcEndpoint")) == ["test-s3"]
    assert cluster.of("InstanceConnectEndpoint") == {}


def test_operators_come_through_instance_connect(deploy_stack):
    cluster = deploy_stack({"operatorAccess": "instance-connect", "operatorKeys": [ed25519()]})
    (endpoint,) = cluster.of("InstanceConnectEndpoint").values()
    assert endpoint["subnetId"] == f"test-private-{ZONES[0]}-id"
    assert endpoint["securityGroupIds"] == ["test-operator-id"]


@pytest.fixture
def existing():
    return {
        "network": {
            "existing": {
                "vpcId": "vpc-0a",
                "zones": {
                    zone: {
                        "privateSubnetId": f"subnet-{i}a",
                        "etcdSubnetId": f"subnet-{i}b",
                        "etcdCidr": f"10.0.{i}.0/28",
                    }
                    for i, zone in enumerate(ZONES)
                },
            }
        }
    }


def test_an_existing_network_is_used_and_left_alone(deploy_stack, existing):
    cluster = deploy_stack(existing)
    for type_ in ("Vpc", "Subnet", "RouteTable", "Route", "NatGateway", "VpcEndpoint"):
        assert cluster.of(type_) == {}, type_
    assert cluster.of("SecurityGroup")["test-etcd"]["vpcId"] == "vpc-0a"
    instance = cluster.of("Instance")["test-etcd-1"]
    assert (instance["subnetId"], instance["privateIp"]) == ("subnet-1b", "10.0.1.5")
    assert cluster.of("Instance")["test-api-1"]["subnetId"] == "subnet-1a"
