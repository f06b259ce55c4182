"""Cluster, built by another program: several in one, with a provider, with a network of its own."""

from dataclasses import replace
from ipaddress import IPv4Network

import pulumi
import pulumi_aws as aws
import pytest

from components.cluster import Cluster
from components.lookups.aws_queries import LookupFailedError
from components.network.network_ids import NetworkIds
from config import ConfigError, check
from tests.recording import REGION, UNKNOWN, ZONES, plain, user_data

ELSEWHERE = "eu-west-1"


def small(name, **values):
    return check({"etcd": {"size": 1}, "api": {"size": 1}, "protect": False, **values}, stack=name)


def elsewhere():
    return pulumi.ResourceOptions(provider=aws.Provider(ELSEWHERE, region=ELSEWHERE))


@pytest.fixture(scope="module")
def two(deploy):
    """Two clusters, one of them in another region."""

    def program():
        Cluster(small("one"))
        Cluster(small("two", protect=True, api={"size": 2}), elsewhere())

    return deploy(program)


def of_cluster(deployment, name):
    """What hangs off a cluster, as deep as it may be."""
    parents = {deployment.urn("Cluster", name)}
    while True:
        below = {
            urn
            for urn, resource in deployment.monitor.recorded.items()
            if resource.parent in parents
        }
        if below <= parents:
            return [deployment.monitor.recorded[urn] for urn in parents]
        parents |= below


def test_two_clusters_share_nothing(two):
    one, other = of_cluster(two, "one"), of_cluster(two, "two")
    assert len(one) + len(other) + 1 == len(two.resources), "all but the explicit provider"
    for cluster, resources in (("one", one), ("two", other)):
        for resource in resources:
            assert resource.name == cluster or resource.name.startswith(f"{cluster}-"), (
                resource.name
            )
            tags = resource.inputs.get("tags", {})
            assert {key for key in tags if key.startswith("kubernetes.io/cluster/")} <= {
                f"kubernetes.io/cluster/{cluster}"
            }


def test_hooks_are_registered_once_and_bound_where_a_cluster_is_protected(two):
    names = [name for name, _ in two.monitor.hooks]
    assert len(names) == len(set(names))
    bound = {r.name for r in two.resources if any(name.startswith("gate-") for _, name in r.hooks)}
    assert bound
    assert all(name.startswith("two-") for name in bound)


def test_everything_of_a_cluster_is_in_the_region_of_its_provider(two):
    def providers(name):
        return {
            resource.provider.rpartition("::")[0].rpartition("::")[2]
            for resource in of_cluster(two, name)
            if resource.type.startswith("aws:")
        }

    assert providers("one") == {""}, "the default provider"
    assert providers("two") == {ELSEWHERE}
    text = str([plain(dict(resource.raw)) for resource in of_cluster(two, "two")])
    assert ELSEWHERE in text
    assert f"com.amazonaws.{REGION}" not in text
    assert f"arn:aws:ssm:{REGION}" not in text
    subnets = [r.inputs for r in of_cluster(two, "two") if r.type == "aws:ec2/subnet:Subnet"]
    assert {subnet["availabilityZone"] for subnet in subnets} == {f"{ELSEWHERE}{z}" for z in "abc"}


def test_nodes_are_told_the_region_of_their_cluster(two):
    instances = two.of("Instance")
    assert f'"{ELSEWHERE}"' in user_data(instances["two-etcd-0"])
    assert f'"{REGION}"' not in user_data(instances["two-etcd-0"])
    assert f'"{REGION}"' in user_data(instances["one-etcd-0"])


@pytest.mark.parametrize(
    "options",
    [
        lambda provider: pulumi.ResourceOptions(provider=provider),
        lambda provider: pulumi.ResourceOptions(providers=[provider]),
        lambda provider: pulumi.ResourceOptions(providers={"aws": provider}),
        lambda provider: pulumi.ResourceOptions(
            parent=pulumi.ComponentResource(
                "test:index:Parent", "parent", {}, pulumi.ResourceOptions(providers=[provider])
            )
        ),
    ],
)
def test_the_provider_is_found_wherever_options_have_it(deploy, options):
    """A region that the zones contradict is refused before anything of the cluster exists."""
    settings = small("one", network={"zones": ZONES})

    def program():
        Cluster(settings, options(aws.Provider(ELSEWHERE, region=ELSEWHERE)))

    with pytest.raises(LookupFailedError, match=rf"must be zones of {ELSEWHERE}"):
        deploy(program)


def test_a_name_is_of_one_cluster(deploy):
    def program():
        Cluster(small("one"))
        Cluster(small("one"))

    with pytest.raises(ValueError, match=r"^clusterName: must be another one, got 'one' twice$"):
        deploy(program)


CIDRS = {zone: f"10.1.{number}.0/28" for number, zone in enumerate(ZONES)}
GIVEN = {
    "cidr": "10.1.0.0/16",
    "existing": {"zones": {z: {"etcdCidr": c} for z, c in CIDRS.items()}},
}


@pytest.fixture(params=[False, True], ids=["update", "preview"])
def own_network(request, deploy):
    """A program that makes the network and the cluster; ids are unknown in its preview."""

    def program():
        vpc = aws.ec2.Vpc("own", cidr_block="10.1.0.0/16")
        subnets = {
            (role, zone): aws.ec2.Subnet(f"{role}-{zone}", vpc_id=vpc.id, availability_zone=zone).id
            for role in ("private", "etcd")
            for zone in ZONES
        }
        Cluster(
            small("one", network=GIVEN),
            network=NetworkIds(
                vpc_id=vpc.id,
                private={zone: subnets["private", zone] for zone in ZONES},
                etcd={zone: subnets["etcd", zone] for zone in ZONES},
            ),
        )

    return deploy(program, preview=request.param)


def test_ids_of_a_network_may_be_outputs(own_network):
    assert set(own_network.of("Vpc")) == {"own"}
    member = own_network.registrations("Instance")["one-etcd-0"]
    assert IPv4Network(CIDRS[ZONES[0]])[4].compressed == member.inputs["privateIp"]
    assert member.inputs["subnetId"] in {f"etcd-{ZONES[0]}-id", UNKNOWN}
    assert own_network.urn("Subnet", f"etcd-{ZONES[0]}") in member.dependencies


NAMED = {
    zone: {
        "privateSubnetId": f"subnet-{n}a",
        "etcdSubnetId": f"subnet-{n}b",
        "etcdCidr": f"10.0.{n}.0/28",
    }
    for n, zone in enumerate(ZONES)
}
IDS = NetworkIds(vpc_id="vpc-0a", private=dict.fromkeys(ZONES, "a"), etcd=dict.fromkeys(ZONES, "b"))


@pytest.mark.parametrize(
    ("network", "api", "ids", "says"),
    [
        (
            GIVEN,
            {},
            None,
            r"^network.existing.vpcId: must be set, unless a program passes NetworkIds",
        ),
        ({}, {}, IDS, r"^network.existing: must have the zones, and the etcdCidr of each"),
        (
            {"existing": {"vpcId": "vpc-0a", "zones": NAMED}},
            {},
            IDS,
            r"^network.existing.vpcId: must be left out, .* got vpc-0a$",
        ),
        (
            GIVEN,
            {},
            NetworkIds(vpc_id="v", private={ZONES[0]: "a"}, etcd=dict.fromkeys(ZONES, "b")),
            rf"^network.existing.zones: must be the zones of the private subnets .*\({ZONES[0]}\), got",
        ),
        (
            GIVEN,
            {"internal": False, "allowedCidrs": ["192.0.2.0/24"]},
            IDS,
            r"^network.existing.zones: must be the zones of the public subnets .*\(none\), got",
        ),
    ],
)
def test_ids_are_in_one_place_and_complete(deploy, network, api, ids, says):
    settings = check({"network": network, "api": api}, stack="one")
    registered = []

    def program():
        try:
            Cluster(settings, network=ids)
        except ConfigError as error:
            registered.append(str(error))

    deployment = deploy(program)
    assert deployment.resources == []
    with pytest.raises(ConfigError, match=says):
        raise ConfigError(*registered)


def test_workers_of_a_given_network_have_subnets_of_it(deploy):
    settings = small("one", network=GIVEN, workers={"general": {"min": 1}})
    with_workers = replace(IDS, workers={zone: f"subnet-{zone[-1]}" for zone in ZONES})
    told = []

    def program(ids):
        try:
            Cluster(settings, network=ids)
        except ConfigError as error:
            told.append(str(error))

    deploy(lambda: program(IDS))
    (problem,) = told
    assert problem.startswith(
        "network.existing.zones: must be the zones of the workers subnets that the program passes "
        "(none), got"
    )
    (group,) = deploy(lambda: program(with_workers)).of("Group").values()
    assert group["vpcZoneIdentifiers"] == [f"subnet-{zone[-1]}" for zone in ZONES]


def test_an_id_that_is_missing_among_others_is_named():
    zones = {ZONES[0]: {"etcdCidr": "10.0.0.0/28"}, **{z: NAMED[z] for z in ZONES[1:]}}
    with pytest.raises(ConfigError) as error:
        check({"network": {"existing": {"vpcId": "vpc-0a", "zones": zones}}}, stack="one")
    assert str(error.value).splitlines() == [
        f"network.existing.zones.{ZONES[0]}.privateSubnetId: must be set",
        f"network.existing.zones.{ZONES[0]}.etcdSubnetId: must be set",
    ]


def test_every_output_is_registered_as_it_is_exported(two, deploy_stack):
    exported = deploy_stack().exports()
    assert set(two.component_outputs("Cluster", "one")) == set(exported)
