import json

import pytest

from components.network.addressing import plan_zones
from components.network.vpc import Network, NetworkArgs, s3_endpoint_policy
from components.nodes.role_policy import Account
from config import check
from tests.recording import REGION, ZONES

ACCOUNT = Account("aws", REGION, "123456789012")
TAGS = {"team": "a", "kubernetes.io/cluster/net": "owned"}


@pytest.fixture
def build(deploy):
    def network(nat="perZone", zones=3, flow_log_days=None, workers=False, pods=False):
        cidr = check({}, stack="t").network.cidr
        args = NetworkArgs(
            cidr=cidr,
            zones=plan_zones(cidr, {zone: slot for slot, zone in enumerate(ZONES[:zones])}),
            account=ACCOUNT,
            nat=nat,
            workers=workers,
            pods=pods,
            flow_log_days=flow_log_days,
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
        ("DefaultSecurityGroup", "net-default"),
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
    assert network.component_outputs("Network", "net") == {"vpcId": "net-id"}


def test_vpc_resolves_names_and_is_tagged(build):
    vpc = build().of("Vpc")["net"]
    assert vpc == {
        "cidrBlock": "10.0.0.0/16",
        "enableDnsHostnames": True,
        "enableDnsSupport": True,
        "tags": {**TAGS, "Name": "net"},
    }


def test_the_default_security_group_lets_nothing_through(build):
    # Given no rules, the provider takes away those that AWS put there.
    assert build().of("DefaultSecurityGroup")["net-default"] == {
        "vpcId": "net-id",
        "tags": {**TAGS, "Name": "net-default"},
    }


def test_no_subnet_gives_public_addresses_away(build):
    subnets = build().of("Subnet")
    assert all(subnet["mapPublicIpOnLaunch"] is False for subnet in subnets.values())
    assert subnets[f"net-etcd-{ZONES[1]}"] == {
        "vpcId": "net-id",
        "availabilityZone": ZONES[1],
        "cidrBlock": "10.0.224.16/28",
        "mapPublicIpOnLaunch": False,
        "tags": {"team": "a", "Name": f"net-etcd-{ZONES[1]}"},  # not the cluster's
    }


def test_load_balancers_of_services_find_their_subnets_and_never_those_of_etcd(build):
    """findELBSubnets of cloud-provider-aws: a role decides, then the cluster's tag, then the id."""
    subnets = build().of("Subnet")
    kubernetes = {
        name: {key: value for key, value in subnet["tags"].items() if "kubernetes.io" in key}
        for name, subnet in subnets.items()
    }
    cluster = {"kubernetes.io/cluster/net": "owned"}
    for zone in ZONES:
        public, private = f"net-public-{zone}", f"net-private-{zone}"
        assert kubernetes[public] == {**cluster, "kubernetes.io/role/elb": "1"}
        assert kubernetes[private] == {**cluster, "kubernetes.io/role/internal-elb": "1"}
        assert kubernetes[f"net-etcd-{zone}"] == {}


def test_workers_have_subnets_of_their_own_with_most_of_each_reserved_for_pods(build):
    network, without = build(workers=True, pods=True), build()
    assert network.loose() == []
    new = {(r.type.rsplit(":", 1)[-1], r.name) for r in network.resources} - {
        (r.type.rsplit(":", 1)[-1], r.name) for r in without.resources
    }
    assert new == {
        *{("Subnet", f"net-workers-{zone}") for zone in ZONES},
        *{("RouteTableAssociation", f"net-workers-{zone}") for zone in ZONES},
        *{("SubnetCidrReservation", f"net-pods-{z}-{bits}") for z in ZONES for bits in (21, 22)},
    }
    for name, subnet in without.of("Subnet").items():
        assert network.of("Subnet")[name] == subnet
    assert network.of("Subnet")[f"net-workers-{ZONES[1]}"] == {
        "vpcId": "net-id",
        "availabilityZone": ZONES[1],
        "cidrBlock": "10.0.48.0/20",
        "mapPublicIpOnLaunch": False,
        # Neither the cluster's tag nor a role: load balancers of Services stay out.
        "tags": {"team": "a", "Name": f"net-workers-{ZONES[1]}"},
    }
    assert network.of("SubnetCidrReservation")[f"net-pods-{ZONES[1]}-22"] == {
        "subnetId": f"net-workers-{ZONES[1]}-id",
        "cidrBlock": "10.0.52.0/22",
        "reservationType": "prefix",
        "description": "pods of net",
    }
    # Out through the gateway of their zone, and to S3 on the inside.
    association = network.of("RouteTableAssociation")[f"net-workers-{ZONES[1]}"]
    assert association["routeTableId"] == f"net-private-{ZONES[1]}-id"


def test_pods_of_another_network_take_no_prefixes(build):
    network = build(workers=True)
    assert f"net-workers-{ZONES[0]}" in network.of("Subnet")
    assert network.of("SubnetCidrReservation") == {}


def statements():
    return json.loads(s3_endpoint_policy("123456789012"))["Statement"]


def allowed(action, *, owner):
    """Whether the endpoint lets a request through to a bucket of an account."""

    def matches(statement):
        actions = statement["Action"]
        named = action in actions if isinstance(actions, list) else actions == "s3:*"
        wanted = statement.get("Condition", {}).get("StringEquals", {"s3:ResourceAccount": owner})
        return named and wanted == {"s3:ResourceAccount": owner}

    assert all(one["Effect"] == "Allow" and one["Resource"] == "*" for one in statements())
    return any(matches(statement) for statement in statements())


def test_the_s3_endpoint_writes_to_buckets_of_this_account_and_reads_from_all(build):
    endpoint = build().of("VpcEndpoint")["net-s3"]
    assert json.loads(endpoint["policy"])["Statement"] == statements()
    for action in ("s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:AbortMultipartUpload"):
        assert allowed(action, owner="123456789012"), action
    # Layers of images, packages and a mirror are in buckets of others.
    assert allowed("s3:GetObject", owner="000000000000")
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:PutBucketPolicy"):
        assert not allowed(action, owner="000000000000"), action


def test_flow_logs_are_kept_as_long_as_asked(build):
    network = build(flow_log_days=30)
    assert network.loose() == []
    assert network.of("LogGroup")["net-flow-logs"]["retentionInDays"] == 30
    assert network.of("FlowLog")["net-flow-logs"] == {
        "vpcId": "net-id",
        "trafficType": "ALL",
        "logDestination": f"arn:aws:logs:{REGION}:123456789012:log-group:net-flow-logs",
        "iamRoleArn": "arn:aws:iam::123456789012:role/net-flow-logs",
        "maxAggregationInterval": 600,
        "tags": {**TAGS, "Name": "net-flow-logs"},
    }
    # The service could not write before the role may.
    policy = network.urn("RolePolicy", "net-flow-logs")
    assert policy in network.registrations("FlowLog")["net-flow-logs"].dependencies


def test_the_role_of_flow_logs_writes_to_its_log_group_for_this_account_only(build):
    network = build(flow_log_days=30)
    trust = json.loads(network.of("Role")["net-flow-logs"]["assumeRolePolicy"])
    assert trust["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        }
    ]
    policy = json.loads(network.of("RolePolicy")["net-flow-logs"]["policy"])
    group = f"arn:aws:logs:{REGION}:123456789012:log-group:net-flow-logs"
    for statement in policy["Statement"]:
        read_only = all(action.startswith("logs:Describe") for action in statement["Action"])
        assert read_only or statement["Resource"] == [group, f"{group}:*"]


def test_no_flow_logs_unless_asked_for(build):
    network = build()
    for type_ in ("FlowLog", "LogGroup", "Role"):
        assert network.of(type_) == {}


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
