"""What AWS says of the configuration, and what a living cluster would not survive, in the preview."""

import json
import logging

import pytest

from components.lookups.aws_context import look_up
from components.lookups.aws_queries import LookupFailedError
from components.lookups.cluster_record import cluster_entry
from config import check
from tests.program.test_main import ProviderError, refused
from tests.recording import ZONES, Cloud

NOW = "ami-0123456789abcdef0"


def recorded(deployment):
    """The record that a deployment leaves behind."""
    parameters = deployment.of("Parameter").values()
    return {p["name"]: p["value"] for p in parameters if p["name"].startswith("/test/record/")}


@pytest.fixture
def look(deploy):
    """What the look-up finds for a configuration; nothing is registered."""

    def look(config=None, *, cloud=None):
        found = []
        settings = check(config or {}, stack="test")
        deploy(lambda: found.append(look_up(settings)), cloud=cloud, config=config)
        return found[0]

    return look


@pytest.fixture
def known(look):
    """The record of a cluster that was made with a configuration."""

    def known(config, *, cloud=None):
        settings, found = check(config, stack="test"), look(config, cloud=cloud)
        value = cluster_entry(settings, found.placement.slots, found.image_id)
        return {
            "/test/record/cluster": value,
            **{f"/test/record/{node}": zone for node, zone in found.placement.nodes.items()},
        }

    return known


TWO_ZONES = {"network": {"zones": ZONES[:2], "acceptTwoZones": True}}


@pytest.mark.parametrize("config", [{}, TWO_ZONES])
def test_a_cluster_writes_the_record_that_look_ups_read(deploy_stack, known, config):
    assert recorded(deploy_stack(config)) == known(config)


# Instance types


def test_a_misspelt_instance_type(deploy_stack):
    everywhere = frozenset(("m6i.lrage", zone) for zone in ZONES)
    message = refused(
        deploy_stack, {"etcd": {"instanceType": "m6i.lrage"}}, cloud=Cloud(lacking=everywhere)
    )
    assert message == (
        "etcd.instanceType: must be an instance type that eu-central-1 offers, got m6i.lrage"
    )


def test_both_tiers_are_told_at_once(deploy_stack):
    types = {"m6i.large": {"ebsNvmeSupport": "unsupported", "supportedArchitectures": ["i386"]}}
    message = refused(deploy_stack, cloud=Cloud(types=types))
    lines = message.splitlines()
    assert len(lines) == 4
    assert {line.partition(":")[0] for line in lines} == {"etcd.instanceType", "api.instanceType"}


def test_a_xen_type_that_the_settings_do_not_know(deploy_stack):
    message = refused(
        deploy_stack,
        {"api": {"instanceType": "xen9.medium"}},
        cloud=Cloud(types={"xen9.medium": {"ebsNvmeSupport": "unsupported"}}),
    )
    assert message.startswith("api.instanceType: must be an instance type on Nitro, got xen9.")


def test_a_number_of_zones_means_zones_that_have_the_type(look):
    cloud = Cloud(
        zones=[*ZONES, "eu-central-1d"], lacking=frozenset({("m6i.large", "eu-central-1b")})
    )
    assert look(cloud=cloud).placement.zones == (
        "eu-central-1a",
        "eu-central-1c",
        "eu-central-1d",
    )


def test_too_few_zones_have_the_type(deploy_stack):
    cloud = Cloud(lacking=frozenset({("m6i.large", "eu-central-1b")}))
    assert refused(deploy_stack, cloud=cloud) == (
        "network.zones: eu-central-1 has 2 zones with the instance types (eu-central-1a, "
        "eu-central-1c), got 3"
    )


def test_a_named_zone_that_lacks_the_type_is_named(deploy_stack):
    cloud = Cloud(lacking=frozenset({("m6i.2xlarge", "eu-central-1b")}))
    config = {"network": {"zones": ZONES}, "api": {"instanceType": "m6i.2xlarge"}}
    assert refused(deploy_stack, config, cloud=cloud) == (
        "api.instanceType: must be offered in every zone of its machines, got m6i.2xlarge, which "
        "eu-central-1b lacks (eu-central-1a, eu-central-1c offer it)"
    )


POOLS = {"workers": {"general": {"min": 1, "instanceType": "t3.medium"}}}


def test_a_pool_is_over_zones_that_have_its_type(look, deploy_stack):
    lacking = frozenset({("t3.medium", "eu-central-1b")})
    cloud = Cloud(zones=[*ZONES, "eu-central-1d"], lacking=lacking)
    assert "eu-central-1b" not in look(POOLS, cloud=cloud).placement.zones
    named = {**POOLS, "network": {"zones": ZONES}}
    assert refused(deploy_stack, named, cloud=Cloud(lacking=lacking)) == (
        "workers.general.instanceType: must be offered in every zone of its machines, got "
        "t3.medium, which eu-central-1b lacks (eu-central-1a, eu-central-1c offer it)"
    )


def test_a_pool_of_another_architecture_or_on_xen(deploy_stack):
    types = {"t3.medium": {"ebsNvmeSupport": "unsupported", "supportedArchitectures": ["i386"]}}
    architecture, nitro = refused(deploy_stack, POOLS, cloud=Cloud(types=types)).splitlines()
    assert architecture.startswith(
        "workers.general.instanceType: must be an instance type of architecture amd64, got t3."
    )
    assert nitro == (
        "workers.general.instanceType: must be an instance type on Nitro, got t3.medium: their "
        "pods have prefixes of the subnet, which no other interface takes"
    )


def test_the_addresses_of_an_interface_are_known_for_each_type(look):
    found = look(POOLS).interface_addresses
    assert found == {"m6i.large": 10, "t3.medium": 6}


def test_pods_of_all_workers_have_room_in_their_subnets(look, deploy_stack):
    def sized(most, **network):
        pools = {"general": {"min": 1, "max": most}, "zonal": {"min": 0, "max": 3, "perZone": True}}
        return {"workers": pools, "network": network}

    # 192 prefixes in each zone of a /16 are 27 machines of 7. Of those one is zonal, with a
    # successor while it is replaced; and while 68 are, a tenth more, there are 75.
    assert look(sized(68))
    assert refused(deploy_stack, sized(69)).splitlines() == [
        f"workers: must be fewer at their max, whose pods need 196 prefixes of 16 addresses in "
        f"{zone}: of network.cidr 10.0.0.0/16 the workers' subnet there has 192"
        for zone in ZONES
    ]
    assert look(sized(1000, podNetwork="none"))


def test_lookups_are_few(look):
    cloud = Cloud()
    look(cloud=cloud)
    assert len(cloud.calls) <= 8


# Zones


def zones_of(deployment):
    disks = {n: v["availabilityZone"] for n, v in deployment.of("Volume").items()}
    machines = {n: i["subnetId"] for n, i in deployment.of("Instance").items()}
    return disks | machines


def addresses_of(deployment):
    return {n: i.get("privateIp") for n, i in deployment.of("Instance").items()}


@pytest.mark.parametrize(
    "available", [[], ["eu-central-1b"], ["eu-central-1d", "eu-central-1e", "eu-central-1f"]]
)
@pytest.mark.parametrize("config", [{}, {"network": {"zones": ZONES}}])
def test_a_zone_that_aws_does_not_list_today_moves_nothing_and_stops_nothing(
    look, known, config, available
):
    before = look(config)

    class Troubled(Cloud):
        def _offers(self, args, zones):
            return Cloud()._offers(args, ZONES)

    after = look(config, cloud=Troubled(zones=available, parameters=known(config)))
    assert after == before


def test_a_zone_more_moves_no_existing_node(deploy_stack):
    before = deploy_stack(TWO_ZONES)
    more = {"network": {"zones": ZONES}}
    after = deploy_stack(more, cloud=Cloud(parameters=recorded(before)))
    assert zones_of(after) == zones_of(before)
    assert addresses_of(after) == addresses_of(before)
    assert before.of("Subnet").items() <= after.of("Subnet").items()
    grown = {**more, "etcd": {"size": 5}}
    larger = deploy_stack(grown, cloud=Cloud(parameters=recorded(after)))
    assert zones_of(larger).items() >= zones_of(before).items()
    assert zones_of(larger)["test-etcd-3-data"] == ZONES[2]


def test_members_that_could_be_spread_better_are_told(look, known, caplog):
    three = {"network": {"zones": ZONES}}
    with caplog.at_level(logging.WARNING):
        moved = look(three, cloud=Cloud(parameters=known(TWO_ZONES)))
    assert moved.placement.nodes["etcd-2"] == ZONES[0]
    assert "docs/runbooks/resize.md says how a member moves" in caplog.text
    caplog.clear()
    look(three, cloud=Cloud(parameters=known(three)))
    assert caplog.text == ""


def test_the_record_is_written_before_the_subnets(cluster):
    vpc = cluster.registrations("Vpc")["test"]
    assert cluster.urn("Parameter", "test-record") in vpc.dependencies
    for subnet in cluster.registrations("Subnet").values():
        assert cluster.urn("Vpc", "test") in subnet.dependencies


# Image


class Newer(Cloud):
    """A newer image was published meanwhile."""

    def call(self, args):
        answer = super().call(args)
        if args.token.endswith(":getAmi") and "mostRecent" in args.args:
            answer = {**answer, "id": "ami-0fedcba9876543210"}
        return answer


def test_a_cluster_keeps_its_image_also_for_machines_that_come_later(look, known):
    assert look({"etcd": {"size": 5}}, cloud=Newer(parameters=known({}))).image_id == NOW
    assert look({}, cloud=Newer()).image_id == "ami-0fedcba9876543210"


def test_another_architecture_of_an_unprotected_cluster_is_another_image(look, known):
    cloud = Newer(parameters=known({"protect": False}), image_architecture="arm64")
    after = look({"protect": False, "architecture": "arm64"}, cloud=cloud)
    assert after.image_id == "ami-0fedcba9876543210"


def test_naming_an_image_counts_also_after_it_is_left_out_again(look, known):
    pinned = {"ami": "ami-0fedcba9876543210"}
    assert look(pinned, cloud=Cloud(parameters=known({}))).image_id == pinned["ami"]
    assert look({}, cloud=Cloud(parameters=known(pinned))).image_id == pinned["ami"]


def test_every_machine_has_the_image_and_no_difference_of_it_is_ignored(cluster):
    for instance in cluster.registrations("Instance").values():
        assert instance.inputs["ami"] == NOW
        assert instance.ignore_changes == ()


def test_a_deprecated_image_is_found_and_told(look, caplog):
    config = {"ami": "ami-0fedcba9876543210"}
    old = {"deprecationTime": "2024-08-14T22:10:31.000Z"}
    with caplog.at_level(logging.WARNING):
        look(config, cloud=Cloud(image=old))
    assert "ami-0fedcba9876543210 is deprecated since 2024-08-14" in caplog.text
    caplog.clear()
    look(config, cloud=Cloud(image={"deprecationTime": "2999-01-01T00:00:00.000Z"}))
    assert "deprecated" not in caplog.text


def test_deprecated_images_are_asked_for_by_id_only(look, known):
    asked = []

    class Asked(Cloud):
        def call(self, args):
            if args.token.endswith(":getAmi"):
                asked.append(args.args.get("includeDeprecated", False))
            return super().call(args)

    record = known({})
    look({}, cloud=Asked())
    look({"ami": NOW}, cloud=Asked())
    look({}, cloud=Asked(parameters=record))
    assert asked == [False, True, True]


def test_an_image_that_is_gone_is_told_with_the_remedy(deploy_stack, known):
    class Gone(Cloud):
        def call(self, args):
            if args.token.endswith(":getAmi"):
                raise ProviderError("Your query returned no results")
            return super().call(args)

    message = refused(deploy_stack, {}, cloud=Gone(parameters=known({})))
    assert message.startswith("ami: must be set: the image of this cluster's machines is gone")
    assert "docs/runbooks/replace-the-image.md" in message
    assert NOW in message


# Changes that a living cluster does not survive

PUBLIC = {"internal": False, "allowedCidrs": ["203.0.113.0/24"]}
FATAL = {
    "network.cidr": {"network": {"cidr": "10.1.0.0/16"}},
    "network.serviceCidr": {"network": {"serviceCidr": "10.97.0.0/16"}},
    "network.podCidr": {"network": {"podCidr": "10.200.0.0/16"}},
    "api.internal": {"api": PUBLIC},
    "architecture": {"architecture": "arm64"},
    "network.zones": {"network": {"zones": 2, "acceptTwoZones": True}},
}


def architecture(config):
    return {"image_architecture": "arm64" if "architecture" in config else "x86_64"}


@pytest.mark.parametrize("key", FATAL)
def test_a_protected_cluster_refuses_what_would_take_it_down(deploy_stack, known, key):
    cloud = Cloud(parameters=known({}), **architecture(FATAL[key]))
    message = refused(deploy_stack, FATAL[key], cloud=cloud, preview=True)
    assert "\n" not in message
    assert message.startswith(f"{key}: must ")
    assert "set it back" in message
    assert "docs/runbooks/destroy.md" in message


@pytest.mark.parametrize("key", FATAL)
def test_taking_the_protection_off_is_an_update_of_its_own(deploy_stack, known, key):
    after = {**FATAL[key], "protect": False}
    cloud = Cloud(parameters=known({}), **architecture(after))
    assert refused(deploy_stack, after, cloud=cloud).startswith(f"{key}: must ")


@pytest.mark.parametrize("key", FATAL)
def test_an_unprotected_cluster_is_told_what_happens(look, known, key, caplog):
    after = {**FATAL[key], "protect": False}
    cloud = Cloud(parameters=known({"protect": False}), **architecture(after))
    with caplog.at_level(logging.WARNING):
        look(after, cloud=cloud)
    assert f"{key}: " in caplog.text


def test_every_problem_is_told_at_once(deploy_stack, known):
    after = {**FATAL["network.cidr"], "api": PUBLIC}
    message = refused(deploy_stack, after, cloud=Cloud(parameters=known({})))
    assert [line.partition(":")[0] for line in message.splitlines()] == [
        "api.internal",
        "network.cidr",
    ]


@pytest.mark.parametrize("protect", [True, False])
def test_a_volume_does_not_shrink(deploy_stack, look, known, protect):
    before = {"protect": protect, "etcd": {"dataVolume": {"sizeGib": 40}}}
    after = {"protect": protect, "etcd": {"dataVolume": {"sizeGib": 20}}}
    message = refused(deploy_stack, after, cloud=Cloud(parameters=known(before)))
    assert message == (
        "etcd.dataVolume.sizeGib: must be at least 40, the size of the volumes that exist, got "
        "20: EBS cannot shrink a volume"
    )
    assert look(before, cloud=Cloud(parameters=known(after)))


def test_what_a_cluster_survives_is_not_refused(look, known):
    after = {
        "etcd": {"size": 5, "instanceType": "m6i.xlarge", "dataVolume": {"sizeGib": 40}},
        "api": {"size": 2, "allowedCidrs": ["10.0.0.0/8"]},
        "network": {"nat": "single"},
        "tags": {"team": "a"},
        "pki": {"epoch": 2},
    }
    assert look(after, cloud=Cloud(parameters=known({}))).placement.zones == tuple(ZONES)


def test_another_cluster_of_the_account_is_none_of_its_business(look, known):
    after = {**FATAL["network.cidr"], "clusterName": "other"}
    assert look(after, cloud=Cloud(parameters=known({})))


def test_the_successor_of_an_unprotected_balancer_comes_after_it(cluster):
    """AWS lets a target group serve one load balancer."""
    assert cluster.registrations("LoadBalancer")["test-api"].delete_before_replace is True


# Adopted networks

VPC = "vpc-0a"
EXISTING = {
    "vpcId": VPC,
    "zones": {
        zone: {
            "privateSubnetId": f"subnet-{n}a",
            "etcdSubnetId": f"subnet-{n}b",
            "etcdCidr": f"10.0.{n}.0/28",
        }
        for n, zone in enumerate(ZONES)
    },
}


def adopting(**zones):
    merged = {
        zone: {**subnets, **zones.get(zone[-1], {})} for zone, subnets in EXISTING["zones"].items()
    }
    return {"network": {"existing": {**EXISTING, "zones": merged}}}


def test_an_adopted_network_that_is_as_described(look):
    assert look(adopting()).placement.zones == tuple(ZONES)


@pytest.mark.parametrize(
    ("config", "cloud", "says"),
    [
        (
            adopting(),
            {"vpc": {"cidrBlock": "10.9.0.0/16"}},
            "network.cidr: must be the CIDR of vpc-0a (10.9.0.0/16), got 10.0.0.0/16",
        ),
        (
            adopting(),
            {"subnets": {"subnet-1a": {"vpcId": "vpc-0b"}}},
            (
                "eu-central-1b.privateSubnetId: must be a subnet of vpc-0a, got subnet-1a, which is in "
                "vpc-0b"
            ),
        ),
        (
            adopting(),
            {"subnets": {"subnet-1b": {"availabilityZone": "eu-central-1a"}}},
            (
                "eu-central-1b.etcdSubnetId: must be a subnet in eu-central-1b, got subnet-1b, which "
                "is in eu-central-1a"
            ),
        ),
        (
            adopting(),
            {"subnets": {"subnet-1b": {"cidrBlock": "10.0.7.0/24"}}},
            "eu-central-1b.etcdCidr: must be the CIDR of subnet-1b, 10.0.7.0/24, got 10.0.1.0/28",
        ),
        (
            adopting(),
            {"subnets": {"subnet-1b": {"availableIpAddressCount": 0}}},
            "eu-central-1b.etcdSubnetId: must have 1 free addresses, got subnet-1b, which has 0",
        ),
        (
            adopting(),
            {"subnets": {"subnet-2a": {"availableIpAddressCount": 9}}},
            (
                "eu-central-1c.privateSubnetId: must have 10 free addresses, got subnet-2a, which has "
                "9"
            ),
        ),
    ],
)
def test_an_adopted_network_that_is_not_as_described(deploy_stack, config, cloud, says):
    message = refused(deploy_stack, config, cloud=Cloud(**cloud))
    assert "\n" not in message
    assert message.endswith(says)


def test_subnets_of_workers_are_of_the_network_and_the_zone_that_they_are_said_to_be(
    look, deploy_stack
):
    own = {letter: {"workerSubnetId": f"subnet-{n}d"} for n, letter in enumerate("abc")}
    config = {**POOLS, **adopting(**own)}
    assert look(config)
    elsewhere = Cloud(subnets={"subnet-1d": {"availabilityZone": "eu-central-1a"}})
    assert refused(deploy_stack, config, cloud=elsewhere) == (
        "network.existing.zones.eu-central-1b.workerSubnetId: must be a subnet in eu-central-1b, "
        "got subnet-1d, which is in eu-central-1a"
    )


def test_the_first_pool_of_a_living_cluster_is_no_change_of_its_network(look, known):
    assert look(POOLS, cloud=Cloud(parameters=known({})))
    assert look({}, cloud=Cloud(parameters=known(POOLS)))


def test_a_subnet_that_does_not_exist(deploy_stack):
    class Missing(Cloud):
        def _subnet(self, args):
            if args.args.get("id") == "subnet-1a":
                raise ProviderError("no matching EC2 Subnet found")
            return super()._subnet(args)

    message = refused(deploy_stack, adopting(), cloud=Missing())
    key = "network.existing.zones.eu-central-1b.privateSubnetId"
    assert message.startswith(f"{key}: must exist, got subnet-1a: ")
    assert message.endswith("no matching EC2 Subnet found")


def test_a_living_cluster_needs_no_room_for_what_is_there(look, known):
    cloud = Cloud(
        parameters=known(adopting()),
        subnets={
            f"subnet-{n}{kind}": {"availableIpAddressCount": free}
            for n in range(3)
            for kind, free in (("a", 0), ("b", 0))
        },
    )
    assert look(adopting(), cloud=cloud)
    with pytest.raises(LookupFailedError, match="must have 1 free addresses"):
        look({**adopting(), "etcd": {"size": 5}}, cloud=cloud)


@pytest.mark.parametrize("key", ["privateSubnetId", "etcdSubnetId"])
def test_a_protected_cluster_keeps_its_adopted_subnets(deploy_stack, known, key):
    after = adopting(a={key: "subnet-9f"})
    message = refused(deploy_stack, after, cloud=Cloud(parameters=known(adopting())))
    assert message.startswith(f"network.existing.zones.eu-central-1a.{key}: must stay subnet-0")


def test_the_record_fits_a_parameter(known):
    """The largest record, of six adopted zones with a public load balancer."""
    zones = [f"ap-southeast-1{letter}" for letter in "abcdef"]
    existing = {
        "vpcId": f"vpc-{'0' * 17}",
        "zones": {
            zone: {
                "privateSubnetId": f"subnet-{n}a{'0' * 15}",
                "etcdSubnetId": f"subnet-{n}b{'0' * 15}",
                "publicSubnetId": f"subnet-{n}c{'0' * 15}",
                "etcdCidr": f"10.0.{n}.240/28",
            }
            for n, zone in enumerate(zones)
        },
    }
    config = {"network": {"existing": existing}, "api": PUBLIC}
    value = known(config, cloud=Cloud(zones=zones))["/test/record/cluster"]
    assert len(value) <= 4096
    assert json.loads(value)["slots"] == {zone: n for n, zone in enumerate(zones)}
