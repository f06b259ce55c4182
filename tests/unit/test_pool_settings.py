"""Settings of pools, the rules that they are part of, and their names and sizes."""

from copy import deepcopy
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.naming import ParameterPaths, WorkerGroup, worker_groups, worker_pools
from components.network.placement import placement
from config import ConfigError, check
from config.change import Change, Effect
from config.container_images import COREDNS, IMAGES, PAUSE
from config.versions import CNI_PLUGINS, CONTAINERD, KUBERNETES, RUNC
from config.workers import WorkerPoolSettings
from tests.unit.test_settings import EXISTING

ZONES = ("eu-central-1a", "eu-central-1b", "eu-central-1c")
DIGEST = f"sha256:{'0' * 64}"


def problems(values):
    with pytest.raises(ConfigError) as error:
        check(values, stack="test")
    return str(error.value).splitlines()


def pools(**values):
    """Settings with one pool."""
    return check({"workers": {"general": {"min": 2, **values}}}, stack="demo")


def placed(settings, zones=ZONES):
    return placement(settings, {zone: slot for slot, zone in enumerate(zones)}, {})


def test_there_is_no_pool_unless_one_is_named():
    settings = check({}, stack="demo")
    assert settings.workers == {}
    assert not settings.pods_in_vpc
    assert worker_pools(settings, placed(settings)) == ()


def test_every_default_of_a_pool():
    pool = pools().workers["general"]
    assert (pool.min, pool.max, pool.most) == (2, None, 2)
    assert pool.instance_type is None
    assert (pool.per_zone, pool.spot, pool.disk_gib) == (False, False, 30)
    assert (pool.labels, pool.taints, pool.repels) == ({}, [], False)


def test_eviction_by_default_takes_less_than_kubernetes_own():
    eviction = check({}, stack="demo").eviction
    assert eviction.node_monitor_grace == timedelta(seconds=40)
    assert eviction.toleration == timedelta(seconds=60)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"general": {}}, "workers.general.min: must be set"),
        ({"general": {"min": -1}}, "workers.general.min: must be at least 0"),
        ({"general": {"min": 1001}}, "workers.general.min: must be at most 1000"),
        (
            {"general": {"min": 3, "max": 2}},
            "workers.general.max: must be at least workers.general.min (3), got 2",
        ),
        ({"general": {"min": 1, "desired": 2}}, "workers.general.desired: is no known key"),
        ({"General": {"min": 1}}, "workers.General: must be named with a DNS label of at most 15"),
        ({"a" * 16: {"min": 1}}, f"workers.{'a' * 16}: must be named with a DNS label"),
        ({"a-": {"min": 1}}, "workers.a-: must be named with a DNS label"),
        ({"1a": {"min": 1}}, "workers.1a: must be named with a DNS label"),
        (
            {"general": {"min": 1, "instanceType": "t2.medium"}},
            "workers.general.instanceType: must be an instance type of the Nitro System",
        ),
        (
            {"general": {"min": 1, "instanceType": "m7g.large"}},
            "workers.general.instanceType: must be an instance type of architecture amd64",
        ),
        ({"general": {"min": 1, "diskGib": 9}}, "workers.general.diskGib: must be at least 10"),
        (
            {"general": {"min": 1, "labels": {"kubernetes.io/role": "x"}}},
            "workers.general.labels: must not have the label 'kubernetes.io/role'",
        ),
        (
            {"general": {"min": 1, "labels": {"node.k8s.io/role": "x"}}},
            "workers.general.labels: must not have the label 'node.k8s.io/role'",
        ),
        (
            {"general": {"min": 1, "labels": {"ha-kubernetes/pool": "other"}}},
            "workers.general.labels: must not have the label 'ha-kubernetes/pool'",
        ),
        (
            {"general": {"min": 1, "labels": {"-a": "x"}}},
            "workers.general.labels: must be labels as Kubernetes takes them",
        ),
        (
            {"general": {"min": 1, "labels": {"a": "x" * 64}}},
            "workers.general.labels: must be labels as Kubernetes takes them",
        ),
        (
            {"general": {"min": 1, "taints": ["dedicated=db"]}},
            "workers.general.taints: must be key=value:Effect or key:Effect",
        ),
        (
            {"general": {"min": 1, "taints": ["a:NoSchedule", "a=b:NoSchedule"]}},
            "workers.general.taints: must have one taint of a key and an effect",
        ),
        (
            {"batch": {"min": 1, "taints": ["batch:NoSchedule"]}},
            "workers: must have a pool without taints of NoSchedule and NoExecute: CoreDNS",
        ),
    ],
)
def test_one_line_names_key_rule_and_value(values, line):
    (found,) = problems({"workers": values})
    assert found.startswith(line)


@pytest.mark.parametrize(
    "values",
    [
        {"labels": {"team": "a", "example.com/tier": "front", "empty": "", "a_b.c": "A_1.b"}},
        {"taints": ["dedicated=db:PreferNoSchedule", "example.com/x:PreferNoSchedule"]},
        {"min": 0, "max": 1000},
        {"spot": True, "perZone": True, "diskGib": 16384, "instanceType": "c6i.32xlarge"},
    ],
)
def test_what_kubernetes_and_ec2_accept_is_accepted(values):
    assert pools(**values)


def test_a_pool_that_repels_pods_needs_another_for_dns():
    batch = {"min": 0, "taints": ["workload=batch:NoSchedule"]}
    settings = check({"workers": {"batch": batch, "general": {"min": 2}}}, stack="t")
    assert {name: pool.repels for name, pool in settings.workers.items()} == {
        "batch": True,
        "general": False,
    }


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"nodeMonitorGrace": "14s"}, "eviction.nodeMonitorGrace: must be from 15s to 10m"),
        ({"nodeMonitorGrace": "20500ms"}, "eviction.nodeMonitorGrace: must be whole seconds"),
        ({"toleration": "2h"}, "eviction.toleration: must be from 1s to 1h"),
        ({"toleration": "1500ms"}, "eviction.toleration: must be whole seconds"),
    ],
)
def test_eviction_times_have_bounds(values, line):
    (found,) = problems({"eviction": values})
    assert found.startswith(line)


# Rules with the network and the artifacts

POOL = {"workers": {"general": {"min": 1}}}
NO_NAT = {
    "network": {"nat": "none"},
    "ami": "ami-0123456789abcdef0",
    "artifacts": {"mirror": "https://mirror.internal"},
}


def test_pods_of_the_vpc_have_no_range_of_their_own():
    (found,) = problems({**POOL, "network": {"podCidr": "10.200.0.0/16"}})
    assert found.startswith("network.podCidr: must be left out when there are workers: their pods")
    own = {"podCidr": "10.200.0.0/16", "podNetwork": "none"}
    assert not check({**POOL, "network": own}, stack="t").pods_in_vpc
    # Workers of somebody else, as before there were pools.
    assert not check({"network": {"podCidr": "10.200.0.0/16"}}, stack="t").pods_in_vpc


def test_a_range_that_nobody_reads_overlaps_nothing():
    vpc = {"cidr": "10.244.0.0/16"}
    assert check({**POOL, "network": vpc}, stack="t").pods_in_vpc
    for others in ({"network": vpc}, {**POOL, "network": {**vpc, "podNetwork": "none"}}):
        (found,) = problems(others)
        assert found.startswith("network.podCidr: must not overlap network.cidr 10.244.0.0/16")


def test_workers_without_a_way_out_need_images_of_a_registry_inside():
    check(NO_NAT, stack="t")
    found = problems({**NO_NAT, **POOL})
    assert [line.split(":")[0] for line in found] == [
        "artifacts.images.coredns",
        "artifacts.images.pause",
    ]
    images = {name: f"registry.internal/{name}@{DIGEST}" for name in IMAGES}
    check({**NO_NAT, **POOL, "artifacts": {**NO_NAT["artifacts"], "images": images}}, stack="t")


def adopted(**worker_subnets):
    existing = deepcopy(EXISTING)
    for zone, subnet in worker_subnets.items():
        existing["zones"][f"eu-central-1{zone}"]["workerSubnetId"] = subnet
    return {"network": {"existing": existing}}


def test_workers_of_an_adopted_network_need_their_subnet_in_every_zone():
    check(adopted(), stack="t")
    found = problems({**POOL, **adopted(a="subnet-a3")})
    assert found == [
        "network.existing.zones.eu-central-1b.workerSubnetId: must be set when there are workers",
        "network.existing.zones.eu-central-1c.workerSubnetId: must be set when there are workers",
    ]
    check({**POOL, **adopted(a="subnet-a3", b="subnet-b3", c="subnet-c3")}, stack="t")
    (found,) = problems({**POOL, **adopted(a="subnet-a0", b="subnet-b3", c="subnet-c3")})
    assert "must name each subnet once" in found
    assert "eu-central-1a.privateSubnetId and eu-central-1a.workerSubnetId" in found


def test_ids_of_a_network_that_a_program_makes_are_left_out_together():
    values = adopted(a="subnet-a3", b="subnet-b3", c="subnet-c3")
    del values["network"]["existing"]["vpcId"]
    for subnets in values["network"]["existing"]["zones"].values():
        del subnets["privateSubnetId"], subnets["etcdSubnetId"]
    assert "network.existing.vpcId: must be set" in problems({**POOL, **values})
    for subnets in values["network"]["existing"]["zones"].values():
        del subnets["workerSubnetId"]
    check({**POOL, **values}, stack="t")


# Names and sizes


def test_names_come_from_the_configuration_alone():
    settings = check(
        {"workers": {"zonal": {"min": 4, "max": 7, "perZone": True}, "general": {"min": 2}}},
        stack="demo",
    )
    general, zonal = worker_pools(settings, placed(settings))
    assert (general.name, general.zones) == ("general", ZONES)
    assert general.resource_name("demo") == "demo-workers-general"
    assert worker_groups(settings, general) == (WorkerGroup("demo-workers-general", ZONES, 2, 2),)
    assert worker_groups(settings, zonal) == (
        WorkerGroup("demo-workers-zonal-eu-central-1a", ZONES[:1], 2, 3),
        WorkerGroup("demo-workers-zonal-eu-central-1b", ZONES[1:2], 1, 2),
        WorkerGroup("demo-workers-zonal-eu-central-1c", ZONES[2:], 1, 2),
    )


@given(fewest=st.integers(0, 1000), more=st.integers(0, 1000), zones=st.integers(2, 6))
def test_a_pool_has_its_sizes_however_it_is_divided(fewest, more, zones):
    most = min(fewest + more, 1000)
    settings = pools(min=fewest, max=most, perZone=True)
    names = [f"eu-central-1{letter}" for letter in "abcdef"[:zones]]
    (pool,) = worker_pools(settings, placed(settings, names))
    groups = worker_groups(settings, pool)
    assert [group.zones for group in groups] == [(zone,) for zone in names]
    assert sum(group.fewest for group in groups) == fewest
    assert sum(group.most for group in groups) == most
    assert all(group.fewest <= group.most for group in groups)
    assert max(g.fewest for g in groups) - min(g.fewest for g in groups) <= 1


def test_names_fit_what_is_named_after_them():
    cluster, pool = "c" * 20, "p" * 15
    settings = check({"clusterName": cluster, "workers": {pool: {"min": 1}}}, stack="t")
    (found,) = worker_pools(settings, placed(settings))
    # Pulumi appends a hyphen and seven random characters; a role's name has at most 64.
    assert len(found.resource_name(cluster)) + 8 <= 64


def test_parameters_of_workers():
    paths = ParameterPaths("demo")
    assert paths.join_token == "/demo/workers/join-token"
    assert paths.worker_ca == "/demo/workers/ca"
    assert paths.cluster_addons == "/demo/cluster"
    # A policy on one path opens nothing of another.
    for node in (paths.node("api-0"), paths.record, paths.operations, paths.formation):
        assert not node.startswith((paths.workers, paths.cluster_addons))


# Artifacts and images


def test_what_a_worker_runs_has_a_sum_for_each_architecture():
    wanted = {"kubelet": KUBERNETES, "kube-proxy": KUBERNETES, "containerd": CONTAINERD}
    wanted |= {"runc": RUNC, "cni-plugins": CNI_PLUGINS}
    sums = set()
    for name, release in wanted.items():
        for version in release.versions:
            for architecture in ("amd64", "arm64"):
                sums.add(release.sha256[version][architecture][name])
                url = release.url.format(version=version, arch=architecture, artifact=name)
                assert url.startswith("https://")
                assert architecture in url
    assert len(sums) == 2 * len(wanted)
    assert all(len(sum_) == 64 for sum_ in sums)


def test_images_are_named_by_tag_and_digest():
    settings = check({}, stack="t")
    assert settings.artifacts.image("coredns") == str(COREDNS)
    assert settings.artifacts.image("pause") == str(PAUSE)
    for image in IMAGES.values():
        assert str(image).startswith("registry.k8s.io/")
        # What upstream publishes is what a stack may name too.
        check({"artifacts": {"images": {"pause": str(image)}}}, stack="t")


def test_an_image_of_ones_own_has_a_registry_and_a_digest():
    own = f"registry.internal:5000/mirror/pause:3.10.2@{DIGEST}"
    settings = check({"artifacts": {"images": {"pause": own}}}, stack="t")
    assert settings.artifacts.image("pause") == own
    assert settings.artifacts.image("coredns") == str(COREDNS)
    for wrong in ("registry.internal/pause:3.10.2", f"pause@{DIGEST}", f"https://r/p@{DIGEST}"):
        (found,) = problems({"artifacts": {"images": {"pause": wrong}}})
        assert found.startswith("artifacts.images.pause: must match")


# What a change of a pool's key does


def test_every_key_of_a_pool_says_what_its_change_does():
    notes = {}
    for name, field in WorkerPoolSettings.model_fields.items():
        (note,) = [note for note in field.metadata if isinstance(note, Change)]
        notes[name] = note.effect
    sizes = {"min", "max"}
    assert {name for name, effect in notes.items() if effect is Effect.IN_PLACE} == sizes
    assert {name for name, effect in notes.items() if effect is Effect.ROLLS_POOL} == (
        notes.keys() - sizes
    )
