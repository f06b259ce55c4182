import pytest

from components.addressing import plan_zones
from components.network import Network, NetworkArgs, adopted
from config import check
from tests.recording import REGION, ZONES

TAGS = {"team": "a"}


@pytest.fixture
def build(deploy):
    def network(nat="perZone", zones=3):
        cidr = check({}, stack="t").network.cidr
        args = NetworkArgs(
            cidr=cidr,
            zones=plan_zones(cidr, {zone: slot for slot, zone in enumerate(ZONES[:zones])}),
            region=REGION,
            nat=nat,
            tags=TAGS,
        )
        return deploy(lambda: Network("net", args) and None)

    return network


def test_exact_children(build):
    network = build()
    assert network.loose() == []
    children = {(r.type.rsplit(":", 1)[-1], r.name) for r in network.resources}
    zones = ZONES
    assert children == {
        ("Network", "net"),
        ("Vpc", "net"),
        ("InternetGateway", "net"),
        ("VpcEndpoint", "net-s3"),
        ("RouteTable", "net-public"),
        ("Route", "net-public"),
        *{("Subnet", f"net-{kind}-{z}") for kind in ("public", "private", "etcd") for z in zones},
        *{
            ("RouteTableAssociation", f"net-{kind}-{z}")
            for kind in ("public", "private", "etcd")
            for z in zones
        },
        *{("RouteTable", f"net-private-{z}") for z in zones},
        *{("Route", f"net-private-{z}") for z in zones},
        *{("Eip", f"net-nat-{z}") for z in zones},
        *{("NatGateway", f"net-nat-{z}") for z in zones},
    }
    assert network.component_outputs("hak8s:index:Network") == {"vpc_id": "net-id"}


def test_vpc_resolves_names_and_is_tagged(build):
    vpc = build().of("Vpc")["net"]
    assert vpc == {
        "cidrBlock": "10.0.0.0/16",
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
        "tags": {"team": "a", "Name": "net"},
    }


def test_no_subnet_gives_public_addresses_away(build):
    subnets = build().of("Subnet")
    assert all(subnet["mapPublicIpOnLaunch"] is False for subnet in subnets.values())
    assert subnets[f"net-etcd-{ZONES[1]}"] == {
        "vpcId": "net-id",
        "availabilityZone": ZONES[1],
        "cidrBlock": "10.0.224.16/28",
        "mapPublicIpOnLaunch": False,
        "tags": {"team": "a", "Name": f"net-etcd-{ZONES[1]}"},
    }


def routes(network):
    return {
        name: route.get("natGatewayId") or route.get("gatewayId")
        for name, route in network.of("Route").items()
    }


def test_a_gateway_in_every_zone_serves_its_own_zone(build):
    assert routes(build("perZone")) == {
        "net-public": "net-id",
        **{f"net-private-{zone}": f"net-nat-{zone}-id" for zone in ZONES},
    }


def test_a_single_gateway_serves_every_zone(build):
    network = build("single")
    assert list(network.of("NatGateway")) == [f"net-nat-{ZONES[0]}"]
    assert routes(network) == {
        "net-public": "net-id",
        **{f"net-private-{zone}": f"net-nat-{ZONES[0]}-id" for zone in ZONES},
    }


def test_without_nat_private_subnets_have_no_way_out(build):
    network = build("none")
    assert network.of("NatGateway") == {}
    assert network.of("Eip") == {}
    assert routes(network) == {"net-public": "net-id"}


def test_nat_gateways_wait_for_the_internet(build):
    network = build()
    internet = network.urn("Route", "net-public")
    for gateway in network.registrations("NatGateway").values():
        assert internet in gateway.dependencies


def test_s3_is_reached_from_every_private_route_table(build):
    endpoint = build().of("VpcEndpoint")["net-s3"]
    assert endpoint["serviceName"] == "com.amazonaws.eu-central-1.s3"
    assert endpoint["vpcEndpointType"] == "Gateway"
    assert endpoint["routeTableIds"] == [f"net-private-{zone}-id" for zone in ZONES]


def test_a_zone_that_is_appended_changes_no_other_resource(build):
    two, three = build(zones=2), build(zones=3)
    before = {(r.type, r.name): r.inputs for r in two.resources}
    after = {(r.type, r.name): r.inputs for r in three.resources}
    changed = {name for (_, name), inputs in before.items() if after[(_, name)] != inputs}
    assert changed == {"net-s3"}


def test_adopted_subnets_are_used_as_they_are():
    existing = check(
        {
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
        },
        stack="t",
    ).network.existing
    assert existing is not None
    subnets = adopted(existing)
    assert subnets.vpc_id == "vpc-0a"
    assert subnets.private == {zone: f"subnet-{i}a" for i, zone in enumerate(ZONES)}
    assert subnets.etcd == {zone: f"subnet-{i}b" for i, zone in enumerate(ZONES)}
    assert subnets.public == {}
