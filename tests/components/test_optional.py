"""What exists only when a stack asks for it."""

import ast
from ipaddress import IPv4Address, IPv4Network

import pytest

from components.network.vpc_endpoints import SERVICES, WORKER_SERVICES
from tests.recording import REPOSITORY, SMALL, ZONES
from tests.unit.ssh_keygen import ed25519

NO_NAT = {
    **SMALL,
    "network": {"nat": "none"},
    "ami": "ami-0123456789abcdef0",
    "artifacts": {"mirror": "https://mirror.internal"},
}


def test_without_nat_every_aws_api_that_nodes_call_has_an_endpoint(deploy_stack):
    cluster = deploy_stack(NO_NAT)
    endpoints = cluster.of("VpcEndpoint")
    services = ("ssm", "monitoring")
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


def test_with_pools_there_are_those_that_workers_are_called_for(deploy_stack):
    images = {name: f"registry.internal/{name}@sha256:{'0' * 64}" for name in ("coredns", "pause")}
    cluster = deploy_stack(
        {
            **NO_NAT,
            "artifacts": {**NO_NAT["artifacts"], "images": images},
            "workers": {"general": {"min": 1}},
        }
    )
    services = (*SERVICES, *WORKER_SERVICES)
    assert set(cluster.of("VpcEndpoint")) == {"test-s3", *(f"test-{name}" for name in services)}


NAMES_IN_PRIVATELINK = {
    "autoscaling": "autoscaling",
    "cloudwatch": "monitoring",
    "ec2": "ec2",
    "ssm": "ssm",
}
"""Of the services as boto3 calls them; S3 has the gateway endpoint."""


def test_the_endpoints_are_those_of_the_services_that_the_node_agent_calls():
    called = {
        call.args[0].value
        for path in (REPOSITORY / "node").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        # boto3.client, and the agent's own client.
        and getattr(call.func, "attr", getattr(call.func, "id", "")) in {"client", "resource"}
    }
    assert called - {"s3"} == set(NAMES_IN_PRIVATELINK)
    assert {*SERVICES, *WORKER_SERVICES} == set(NAMES_IN_PRIVATELINK.values())


def test_with_nat_there_is_the_free_endpoint_only(cluster):
    assert list(cluster.of("VpcEndpoint")) == ["test-s3"]
    assert cluster.of("InstanceConnectEndpoint") == {}


def test_operators_come_through_instance_connect(deploy_stack):
    cluster = deploy_stack(
        {**SMALL, "operatorAccess": "instance-connect", "operatorKeys": [ed25519()]}
    )
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
    untouched = ("Vpc", "Subnet", "RouteTable", "Route", "NatGateway", "VpcEndpoint")
    for type_ in (*untouched, "DefaultSecurityGroup", "FlowLog"):
        assert cluster.of(type_) == {}, type_
    assert cluster.of("SecurityGroup")["test-etcd"]["vpcId"] == "vpc-0a"
    instance = cluster.of("Instance")["test-etcd-1"]
    assert (instance["subnetId"], instance["privateIp"]) == ("subnet-1b", "10.0.1.5")
    assert cluster.of("Instance")["test-api-1"]["subnetId"] == "subnet-1a"


def reserved(cluster, subnet):
    """The addresses of a subnet that AWS gives only to whom asks for one by name."""
    return {
        address
        for reservation in cluster.of("SubnetCidrReservation").values()
        if reservation["subnetId"] == subnet and reservation["reservationType"] == "explicit"
        for address in IPv4Network(reservation["cidrBlock"])
    }


SEVEN = {**SMALL, "etcd": {"size": 7}}


@pytest.mark.parametrize("config", [{}, SEVEN])
def test_the_addresses_of_members_are_reserved(deploy_stack, config):
    cluster = deploy_stack(config)
    for instance in cluster.of("Instance").values():
        if "privateIp" in instance:
            address = IPv4Address(instance["privateIp"])
            assert address in reserved(cluster, instance["subnetId"])
    first = cluster.registrations("Instance")["test-etcd-0"]
    for name, reservation in cluster.registrations("SubnetCidrReservation").items():
        # A reservation that is made anew overlaps the one that is still there.
        assert reservation.delete_before_replace
        assert cluster.urn("SubnetCidrReservation", name) in first.dependencies


def test_reservations_stay_as_they_are_when_the_tier_grows(deploy_stack):
    small, large = deploy_stack({}), deploy_stack(SEVEN)
    assert small.of("SubnetCidrReservation") == large.of("SubnetCidrReservation")


def test_member_addresses_of_an_existing_network_are_reserved_too(deploy_stack, existing):
    cluster = deploy_stack(existing)
    assert IPv4Address("10.0.1.5") in reserved(cluster, "subnet-1b")
    # What AWS keeps of a subnet is none of a member's.
    assert IPv4Address("10.0.1.3") not in reserved(cluster, "subnet-1b")


def test_the_documents_name_the_apis_that_an_adopted_network_must_reach():
    always, with_pools = (
        ", ".join(f"`{name}`" for name in names) for names in (SERVICES, WORKER_SERVICES)
    )
    text = (REPOSITORY / "docs/runbooks/first-deployment.md").read_text()
    assert f"({always}; with pools {with_pools})" in " ".join(text.split())
