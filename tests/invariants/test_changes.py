"""What the documentation says of a change of each key is what happens to the machines."""

from copy import deepcopy

import pytest

from config.change import Change, Effect
from config.cluster_settings import ClusterSettings
from config.network import ExistingNetwork
from config.types import Settings
from config.workers import WorkerPoolSettings
from tests.golden.nodes import both, settings
from tests.recording import SMALL, ZONES
from tests.unit.ssh_keygen import ed25519


def notes(model=ClusterSettings, prefix=""):
    """The notes of every key that is no section, by path."""
    found = {}
    for field in model.model_fields.values():
        key = f"{prefix}{field.alias}"
        section = field.annotation
        if section == ExistingNetwork | None:
            section = ExistingNetwork
        if isinstance(section, type) and issubclass(section, Settings):
            found |= notes(section, f"{key}.")
        else:
            (found[key],) = [note for note in field.metadata if isinstance(note, Change)]
    return found


KEYS = {"operatorAccess": "instance-connect", "operatorKeys": [ed25519(1, "alice")]}

POOL = {"workers": {"general": {"min": 1}}}

CHANGES = {
    "clusterName": ({}, "other"),
    "network.cidr": ({}, "10.32.0.0/16"),
    "network.serviceCidr": ({}, "10.97.0.0/16"),
    "network.podCidr": ({}, "10.128.0.0/12"),
    "network.zones": ({}, [ZONES[1], ZONES[0], ZONES[2]]),
    "network.podNetwork": (POOL, "none"),
    "network.acceptTwoZones": ({}, True),
    "network.nat": ({}, "single"),
    "network.workerCidrs": ({}, ["192.0.2.0/24"]),
    "network.flowLogDays": ({}, 30),
    "etcd.size": ({}, 5),
    "etcd.instanceType": ({}, "m6i.xlarge"),
    "etcd.dataVolume.sizeGib": ({}, 40),
    "etcd.dataVolume.iops": ({}, 4000),
    "etcd.dataVolume.throughput": ({}, 250),
    "etcd.quotaGib": ({}, 8),
    "etcd.heartbeatMs": ({}, 150),
    "etcd.electionMs": ({}, 1500),
    "etcd.snapshots.everyMinutes": ({}, 5),
    "etcd.snapshots.keepDays": ({}, 7),
    "api.size": ({}, 5),
    "api.instanceType": ({}, "m6i.xlarge"),
    "api.allowedCidrs": ({}, ["10.0.0.0/8"]),
    "api.shutdownDelay": ({}, "15s"),
    "controllers.leaseDuration": ({}, "20s"),
    "controllers.renewDeadline": ({}, "11s"),
    "controllers.retryPeriod": ({}, "500ms"),
    "eviction.nodeMonitorGrace": ({}, "20s"),
    "eviction.toleration": ({}, "10s"),
    "pki.caYears": ({}, 20),
    "pki.leafDays": ({}, 90),
    "pki.epoch": ({}, 2),
    "ami": ({}, "ami-0123456789abcdef1"),
    "architecture": ({}, "arm64"),
    "operatorAccess": (KEYS, "none"),
    "operatorKeys": (KEYS, [ed25519(1, "alice at work"), ed25519(2)]),
    "tags": ({}, {"team": "a"}),
    "protect": ({}, False),
    "gateTimeout": ({}, "1h"),
    "artifacts.mirror": ({}, "https://mirror.example/base"),
    "artifacts.sha256": ({}, {"etcd": "0" * 64, "kube-scheduler": "1" * 64}),
    "artifacts.images": ({}, {"coredns": f"registry.example/coredns@sha256:{'0' * 64}"}),
    "api.internal": ({"api": {"allowedCidrs": ["203.0.113.0/24"]}}, False),
}
"""A configuration, and another value of the key."""

ELSEWHERE = {
    # One version each (config/versions.py): no other value is valid. The number is in node.json and
    # in the address of the download, as the tests of user data see.
    "kubernetesVersion",
    "etcd.version",
    # Their machines are Auto Scaling's: below.
    "workers",
}

ADOPTED = {f"network.existing.{key}" for key in ("vpcId", "zones", "instanceConnectGroupId")}
"""The network of a cluster stays what it is: a subnet is where an instance is, and a VPC where a
subnet is. The group is named in rules alone."""

REPLACING = (
    *("userDataBase64", "instanceType", "subnetId", "privateIp", "placementGroup", "ami"),
    *("iamInstanceProfile", "rootBlockDevice"),
)
"""Inputs of an instance whose change replaces it: what user_data_replace_on_change,
replace_on_changes and the provider itself (ForceNew) say, or a profile that is another machine's."""


def changed(config, key, value):
    config = deepcopy(config)
    *sections, last = key.split(".")
    inside = config
    for section in sections:
        inside = inside.setdefault(section, {})
    inside[last] = value
    if key == "operatorAccess":
        config.pop("operatorKeys")
    return config


def merged(one, other):
    """Both configurations in one."""
    both_have = one.keys() & other.keys()
    deep = {key: merged(one[key], other[key]) for key in both_have if isinstance(one[key], dict)}
    return {**one, **other, **deep}


def value(instance, input_):
    """What an instance is made with; tags of its disk change in place."""
    found = instance.inputs.get(input_)
    return {**found, "tags": None} if input_ == "rootBlockDevice" else found


def replaced(before, after):
    """The tiers with a machine in both that is replaced, and those with one that comes or goes."""
    old, new = before.registrations("Instance"), after.registrations("Instance")
    rolled = {
        name
        for name in old.keys() & new.keys()
        for input_ in REPLACING
        if input_ not in new[name].ignore_changes
        and value(old[name], input_) != value(new[name], input_)
    }
    return tiers(rolled), tiers(old.keys() ^ new.keys())


def tiers(names):
    return {tier for tier in ("etcd", "api") for name in names if f"-{tier}-" in name}


EXPECTED = {
    Effect.IN_PLACE: set(),
    Effect.ADDS_OR_REMOVES: set(),
    Effect.ROLLS_ETCD: {"etcd"},
    Effect.ROLLS_API: {"api"},
    Effect.ROLLS_ALL: {"etcd", "api"},
}

TOGETHER = [effect for effect in EXPECTED if effect is not Effect.ROLLS_ALL]


def keys_of(*effects):
    return [key for key in CHANGES if notes()[key].effect in effects]


def test_every_key_says_what_its_change_does_and_is_tried_here():
    assert notes().keys() == CHANGES.keys() | ELSEWHERE | ADOPTED


def machine(settings, tier):
    """What a machine is made of, as far as the settings say it."""
    etcd, api = both(settings)
    node, chosen = {
        "etcd": (etcd, settings.etcd.instance_type),
        "api": (api, settings.api.instance_type),
    }[tier]
    return node.render(), settings.instance_type(chosen), settings.ami


@pytest.mark.parametrize("key", keys_of(*EXPECTED))
def test_each_key_alone_changes_the_machines_that_it_says(key):
    base, value = CHANGES[key]
    before, after = settings(**base), settings(**changed(base, key, value))
    rolled = {tier for tier in ("etcd", "api") if machine(before, tier) != machine(after, tier)}
    assert rolled == EXPECTED[notes()[key].effect]


@pytest.mark.parametrize("effect", TOGETHER)
def test_all_keys_of_an_effect_change_no_more_of_the_program_than_that(effect, deploy_stack):
    config = SMALL
    for key in keys_of(effect):
        base, value = CHANGES[key]
        config = merged(config, changed(base, key, value))
    rolled, came_or_went = replaced(deploy_stack(SMALL), deploy_stack(config))
    assert rolled == EXPECTED[effect]
    assert bool(came_or_went) == (effect is Effect.ADDS_OR_REMOVES)


@pytest.mark.parametrize("key", keys_of(Effect.ROLLS_ALL))
def test_what_rolls_every_machine_does(key, deploy_stack):
    base, value = CHANGES[key]
    base = merged(SMALL, base)
    before, after = deploy_stack(base), deploy_stack(changed(base, key, value))
    assert replaced(before, after) == ({"etcd", "api"}, set())


@pytest.mark.parametrize("key", keys_of(Effect.REFUSED))
def test_what_is_refused_would_take_something_away_that_a_cluster_stands_on(key, deploy_stack):
    base, value = CHANGES[key]
    base = merged(SMALL, base)
    before, after = deploy_stack(base), deploy_stack(changed(base, key, value))
    rolled, came_or_went = replaced(before, after)
    authorities = before.of("SelfSignedCert") != after.of("SelfSignedCert")
    balancer = before.of("LoadBalancer") != after.of("LoadBalancer")
    assert rolled or came_or_went or authorities or balancer


# Pools of workers

OF_A_POOL = {
    "min": 2,
    "max": 5,
    "instanceType": "m6i.xlarge",
    "perZone": True,
    "spot": True,
    "labels": {"team": "a"},
    "taints": ["team=a:PreferNoSchedule"],
    "diskGib": 50,
}
"""Another value of each key of a pool."""

SMALL_POOL = {**SMALL, **POOL}
POOLS = merged(SMALL_POOL, {"workers": {key.lower(): {"min": 1} for key in OF_A_POOL}})
"""And a pool for each key."""
IMAGE = f"registry.example/image@sha256:{'0' * 64}"


def pool_notes():
    fields = WorkerPoolSettings.model_fields.values()
    return {
        field.alias: note for field in fields for note in field.metadata if isinstance(note, Change)
    }


def new_pool(before, after, name="general"):
    """Whether the machines of a pool are others."""

    def made_of(deployment):
        groups, templates = deployment.of("Group"), deployment.of("LaunchTemplate")
        pool = f"test-workers-{name}"
        return {group for group in groups if group.startswith(pool)}, templates[pool]

    return made_of(before) != made_of(after)


def test_every_key_of_a_pool_says_what_its_change_does_and_is_tried_here():
    assert pool_notes().keys() == OF_A_POOL.keys()


@pytest.mark.parametrize("key", OF_A_POOL)
def test_each_key_of_a_pool_changes_the_machines_that_it_says(key, deploy_stack):
    one_each = {key.lower(): {key: value} for key, value in OF_A_POOL.items()}
    before, after = deploy_stack(POOLS), deploy_stack(merged(POOLS, {"workers": one_each}))
    assert replaced(before, after) == (set(), set())
    assert new_pool(before, after, key.lower()) == (pool_notes()[key].effect is Effect.ROLLS_POOL)
    assert not new_pool(before, after)


def test_the_first_pool_rolls_the_api_tier_and_others_nothing(deploy_stack):
    none, one, more = (deploy_stack(config) for config in (SMALL, SMALL_POOL, POOLS))
    assert replaced(none, one) == ({"api"}, set())
    assert replaced(one, more) == (set(), set())
    assert one.of("Group").items() <= more.of("Group").items()
    assert one.of("LaunchTemplate").items() <= more.of("LaunchTemplate").items()


@pytest.mark.parametrize(
    "change", [{"network": {"podNetwork": "none"}}, {"artifacts": {"images": {"pause": IMAGE}}}]
)
def test_another_pod_network_or_pause_image_rolls_every_pool(change, deploy_stack):
    assert new_pool(deploy_stack(SMALL_POOL), deploy_stack(merged(SMALL_POOL, change)))


def test_what_changes_in_place_rolls_pools_only_where_it_says_so(deploy_stack):
    keys = keys_of(Effect.IN_PLACE)
    says_so = {key for key in keys if notes()[key].but.startswith("rolls every pool")}
    assert says_so
    others_changed = SMALL_POOL
    for key in keys:
        if key not in says_so:
            base, value = CHANGES[key]
            others_changed = merged(others_changed, changed(base, key, value))
    before = deploy_stack(SMALL_POOL)
    assert not new_pool(before, deploy_stack(others_changed))
    for key in says_so:
        base, value = CHANGES[key]
        config = merged(SMALL_POOL, changed(base, key, value))
        assert new_pool(before, deploy_stack(config)), key


def test_another_image_of_coredns_rolls_no_pool(deploy_stack):
    images = {"artifacts": {"images": {"coredns": IMAGE}}}
    before, after = deploy_stack(SMALL_POOL), deploy_stack(merged(SMALL_POOL, images))
    assert not new_pool(before, after)
    assert replaced(before, after) == (set(), set())
