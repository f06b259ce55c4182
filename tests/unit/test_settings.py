import re
from datetime import timedelta
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.monitoring.node_alarms import CERTIFICATE_DAYS
from config import ConfigError, check
from config.cluster_settings import CERTIFICATE_ALARM_DAYS, MIN_LEAF_DAYS
from config.types import format_duration, parse_duration
from tests.unit.ssh_keygen import ecdsa, ed25519, rsa, sk_ecdsa, sk_ed25519


def problems(values, stack="test"):
    with pytest.raises(ConfigError) as error:
        check(values, stack=stack)
    return str(error.value).splitlines()


def test_every_default():
    settings = check({}, stack="staging")
    assert settings.cluster_name == "staging"
    assert settings.kubernetes_version == "1.36.3"
    assert settings.network.cidr == IPv4Network("10.0.0.0/16")
    assert settings.network.service_cidr == IPv4Network("10.96.0.0/16")
    assert settings.network.pod_cidr == IPv4Network("10.244.0.0/16")
    assert (settings.network.zones, settings.network.zone_count) == (3, 3)
    assert settings.network.nat == "perZone"
    assert settings.network.existing is None
    assert (settings.etcd.size, settings.etcd.version) == (3, "3.6.14")
    volume = settings.etcd.data_volume
    assert (volume.size_gib, volume.iops, volume.throughput) == (20, 3000, 125)
    assert settings.etcd.quota_gib == 4
    assert (settings.etcd.heartbeat_ms, settings.etcd.election_ms) == (100, 1000)
    assert settings.etcd.snapshots.every_minutes == 15
    assert settings.etcd.snapshots.keep_days == 30
    assert settings.api.size == 3
    assert settings.api.internal is True
    assert settings.api.allowed_cidrs is None
    assert settings.api.shutdown_delay == timedelta(seconds=130)
    assert settings.controllers.lease_duration == timedelta(seconds=15)
    assert settings.controllers.renew_deadline == timedelta(seconds=10)
    assert settings.controllers.retry_period == timedelta(seconds=2)
    assert (settings.pki.ca_years, settings.pki.leaf_days, settings.pki.epoch) == (10, 365, 1)
    assert settings.ami is None
    assert settings.architecture == "amd64"
    assert settings.operator_access == "none"
    assert settings.tags == {}
    assert settings.protect is True
    assert settings.gate_timeout == timedelta(minutes=15)
    assert settings.artifacts.mirror is None
    assert settings.artifacts.sha256 == {}
    assert settings.artifacts.images == {}
    assert settings.network.pod_network == "vpc"


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"etcd": {"size": 4}}, "etcd.size: must be odd (1, 3, 5 or 7): 4 members need"),
        ({"network": {"flowLogDays": 2}}, "network.flowLogDays: must be 1, 3, 5, 7, 14"),
        (
            {"network": {"workerCidrs": ["10.64.0.0"]}},
            "network.workerCidrs.0: must be an IPv4 CIDR",
        ),
        (
            {"network": {"workerCidrs": [f"10.64.{i}.0/24" for i in range(21)]}},
            "network.workerCidrs: must have at most 20 entries",
        ),
        ({"etcd": {"size": 9}}, "etcd.size: must be at most 7: every write is replicated"),
        ({"etcd": {"size": 0}}, "etcd.size: must be 1, 3, 5 or 7, got 0"),
        ({"etcd": {"size": -1}}, "etcd.size: must be 1, 3, 5 or 7, got -1"),
        ({"etcd": {"size": "three"}}, "etcd.size: must be a whole number, got 'three'"),
        ({"etcd": {"size": True}}, "etcd.size: must be a whole number, got True"),
        ({"etcd": {"size": 3.0}}, "etcd.size: must be a whole number, got 3.0"),
        ({"etcd": 5}, "etcd: must be a mapping, got 5"),
        ({"etcd": {"sizes": 3}}, "etcd.sizes: is no known key"),
        ({"etcd": {"snapshots": {"every": 1}}}, "etcd.snapshots.every: is no known key"),
        ({"etcd": {"version": "3.6.8"}}, "etcd.version: must be one of 3.6.14"),
        ({"etcd": {"quotaGib": 9}}, "etcd.quotaGib: must be at most 8, got 9"),
        ({"etcd": {"electionMs": 400}}, "etcd.electionMs: must be at least 5 x"),
        ({"etcd": {"instanceType": "large"}}, "etcd.instanceType: must match"),
        ({"etcd": {"instanceType": "m7g.large"}}, "etcd.instanceType: must be an instance type of"),
        (
            {"architecture": "arm64", "api": {"instanceType": "m6i.large"}},
            "api.instanceType: must be an instance type of architecture arm64, got 'm6i.large'",
        ),
        (
            {"etcd": {"dataVolume": {"sizeGib": 6}}},
            "etcd.dataVolume.sizeGib: must be at least twice etcd.quotaGib (4), got 6",
        ),
        ({"etcd": {"dataVolume": {"iops": 11000}}}, "etcd.dataVolume.iops: must be at most 500"),
        (
            {"etcd": {"dataVolume": {"throughput": 900}}},
            "etcd.dataVolume.throughput: must be at most a quarter of etcd.dataVolume.iops (3000)",
        ),
        ({"network": {"zones": 2}}, "network.zones: must be 3: over two zones 3 members sit 2-1"),
        ({"network": {"zones": 1}}, "network.zones: must be 2 or 3, or a list of zone names"),
        (
            {"network": {"zones": ["eu-central-1a", "eu-central-1a"]}},
            "network.zones: must name each zone once",
        ),
        ({"network": {"zones": ["a", "b", "c"]}}, "network.zones: must be names of availability"),
        ({"network": {"zones": "three"}}, "network.zones: must be a whole number or must be a"),
        ({"network": {"cidr": "10.0.0.0/24"}}, "network.cidr: must be a /16 to /22"),
        ({"network": {"cidr": "10.0.0.0/8"}}, "network.cidr: must be a /16 to /22"),
        ({"network": {"cidr": "10.0.0.1/16"}}, "network.cidr: must be an IPv4 CIDR"),
        ({"network": {"cidr": "ten"}}, "network.cidr: must be an IPv4 CIDR such as 10.0.0.0/16"),
        (
            {"network": {"cidr": "10.96.0.0/16"}},
            "network.serviceCidr: must not overlap network.cidr 10.96.0.0/16",
        ),
        ({"network": {"serviceCidr": "10.128.0.0/10"}}, "network.serviceCidr: must be a /12 to"),
        ({"network": {"podCidr": "10.244.0.0/25"}}, "network.podCidr: must be a /8 to /24"),
        (
            {"artifacts": {"mirror": f"https://{'m' * 200}"}},
            "artifacts.mirror: must have at most 200 characters",
        ),
        ({"network": {"nat": "none"}}, "artifacts.mirror: must be set when network.nat is none"),
        ({"network": {"nat": "two"}}, "network.nat: must be 'perZone', 'single' or 'none'"),
        ({"api": {"size": 1}}, "api.size: must be at least 2; 1 only with protect: false, got 1"),
        ({"api": {"internal": False}}, "api.allowedCidrs: must be written out when"),
        ({"gateTimeout": "44s"}, "gateTimeout: must be from 45s to 24h, got '44s'"),
        ({"gateTimeout": "25h"}, "gateTimeout: must be from 45s to 24h, got '25h'"),
        (
            {"gateTimeout": 900},
            "gateTimeout: must be a duration such as 15s, 2m10s, 500ms or 1h, got 900",
        ),
        ({"api": {"shutdownDelay": "soon"}}, "api.shutdownDelay: must be a duration such as"),
        ({"api": {"shutdownDelay": "0s"}}, "api.shutdownDelay: must be longer than zero"),
        ({"api": {"shutdownDelay": 130}}, "api.shutdownDelay: must be a duration such as"),
        (
            {"controllers": {"leaseDuration": "10s"}},
            "controllers.leaseDuration: must be longer than controllers.renewDeadline (10s)",
        ),
        (
            {"controllers": {"retryPeriod": "9s"}},
            "controllers.renewDeadline: must be longer than 1.2 x controllers.retryPeriod (9s)",
        ),
        (
            {"pki": {"leafDays": 3650, "caYears": 1}},
            "pki.leafDays: must be less than the authorities live",
        ),
        ({"pki": {"epoch": 0}}, "pki.epoch: must be at least 1, got 0"),
        ({"clusterName": "a" * 21}, "clusterName: must have at most 20 characters"),
        ({"clusterName": "My_Cluster"}, "clusterName: must be a DNS label"),
        ({"clusterName": "aws-prod"}, "clusterName: must not begin with aws"),
        ({"kubernetesVersion": "1.20.0"}, "kubernetesVersion: must be one of 1.36.3"),
        ({"ami": "debian"}, "ami: must match"),
        ({"architecture": "riscv"}, "architecture: must be 'amd64' or 'arm64', got 'riscv'"),
        ({"operatorAccess": "ssh"}, "operatorAccess: must be 'none' or 'instance-connect'"),
        (
            {"operatorAccess": "instance-connect"},
            "operatorKeys: must be set when operatorAccess is",
        ),
        (
            {"operatorKeys": [ed25519()]},
            "operatorKeys: must be left out when operatorAccess is none",
        ),
        (
            {"operatorAccess": "instance-connect", "operatorKeys": ["ssh-dss AAAA"]},
            "operatorKeys.0: must be an OpenSSH public key",
        ),
        (
            {"operatorAccess": "instance-connect", "operatorKeys": [ed25519()] * 21},
            "operatorKeys: must have at most 20 entries",
        ),
        ({"protect": "maybe"}, "protect: must be true or false, got 'maybe'"),
        ({"tags": {"Name": "x"}}, "tags: must not use the key 'Name'"),
        ({"tags": {"aws:x": "x"}}, "tags: must not use the reserved key 'aws:x'"),
        ({"artifacts": {"mirror": "http://mirror"}}, "artifacts.mirror: must be a URL of https"),
        ({"size": 3}, "size: is no known key (docs/configuration.md lists them), got 3"),
        *(
            ({"clusterName": name}, "clusterName: must not begin with")
            for name in ("internal-k8s", "sg-prod", "xn--prod", "sthree-a", "amzn-s3-demo-a", "ssm")
        ),
        *(
            ({"tags": {"team": f"a{character}b"}}, "tags: must be of letters, numbers, blanks")
            for character in ",&()#*🙂\n\u2028\t"
        ),
        ({"tags": {"name": "x"}}, "tags: must not use the key 'name'"),
        ({"tags": {"Team": "a", "team": "b"}}, "tags: must not have keys that differ in case only"),
        ({"tags": {"AWS:x": "x"}}, "tags: must not use the reserved key 'AWS:x'"),
        ({"tags": {"team": "aws:x"}}, "tags: must not have values that begin with aws:"),
        ({"tags": {"kubernetes.io/role/elb": "1"}}, "tags: must not use the reserved key"),
        ({"tags": {str(n): "" for n in range(41)}}, "tags: must be at most 40 tags"),
        ({"api": {"allowedCidrs": []}}, "api.allowedCidrs: must name at least one CIDR"),
        (
            {"api": {"allowedCidrs": ["10.0.0.0/8", "10.0.0.0/8"]}},
            "api.allowedCidrs: must name each CIDR once; 10.0.0.0/8 is there twice",
        ),
        (
            {"api": {"allowedCidrs": [f"10.0.{n}.0/24" for n in range(51)]}},
            "api.allowedCidrs: must be at most 50 CIDRs",
        ),
        *(
            ({"network": {"podCidr": cidr}}, "network.podCidr: must not lie in")
            for cidr in (
                "127.1.0.0/16",
                "169.254.0.0/16",
                "224.0.0.0/8",
                "0.0.0.0/8",
                "250.0.0.0/8",
            )
        ),
        ({"network": {"podCidr": "169.0.0.0/8"}}, "network.podCidr: must not overlap 169.254"),
        ({"network": {"serviceCidr": "10.96.0.0/29"}}, "network.serviceCidr: must be a /12 to /28"),
        (
            {"controllers": {"leaseDuration": "900ms", "renewDeadline": "500ms"}},
            "controllers.leaseDuration: must be from 1s to 1h",
        ),
        ({"controllers": {"leaseDuration": "15.5s"}}, "controllers.leaseDuration: must be whole s"),
        ({"api": {"shutdownDelay": "9999999999999h"}}, "api.shutdownDelay: must be a duration"),
        ({"api": {"shutdownDelay": "2562048h"}}, "api.shutdownDelay: must be from 1s to 1h"),
        ({"api": {"shutdownDelay": "1e1s"}}, "api.shutdownDelay: must be a duration"),
        ({"api": {"shutdownDelay": "0.0000001s"}}, "api.shutdownDelay: must be a duration"),
        *(
            ({"artifacts": {"mirror": mirror}}, "artifacts.mirror: must be a URL of https")
            for mirror in (
                "https://m/?x",
                "https://m/#f",
                "https://u:p@m",
                "https://m /",
                "https://",
            )
        ),
        *(
            ({"artifacts": {"mirror": mirror}}, "artifacts.mirror: must have a port of 1 to 65535")
            for mirror in ("https://m:99999", "https://m:0/base")
        ),
        *(
            (
                {"etcd": {"instanceType": xen}},
                "etcd.instanceType: must be an instance type of the N",
            )
            for xen in ("t2.medium", "m3.large", "m4.large", "c4.large", "r4.large", "i3.large")
        ),
        ({"api": {"instanceType": "mac2.metal"}}, "api.instanceType: must not be a Mac"),
        (
            {"api": {"size": 7}, "network": {"zones": 2, "acceptTwoZones": True}},
            "api.size: must be at most 6 over 2 zones",
        ),
        ({"pki": {"leafDays": 59}}, "pki.leafDays: must be at least 60, got 59"),
        ({"pki": {"leafDays": 365, "caYears": 1}}, "pki.leafDays: must be less than"),
        ({"etcd": {"dataVolume": {"sizeGib": 65537}}}, "etcd.dataVolume.sizeGib: must be at most"),
        (
            {"etcd.size": 5},
            "etcd.size: is a path that was set without --path: run pulumi config rm",
        ),
        ({"network.zones[0]": "a"}, "network.zones[0]: is a path that was set without --path"),
    ],
)
def test_one_line_names_key_rule_and_value(values, line):
    lines = problems(values)
    assert any(found.startswith(line) for found in lines), lines


def test_all_problems_are_told_at_once():
    lines = problems(
        {
            "etcd": {"size": 4, "electionMs": 200},
            "network": {"zones": 2, "cidr": "10.96.0.0/20"},
            "controllers": {"leaseDuration": "5s"},
            "colour": "blue",
        }
    )
    keys = [line.split(":")[0] for line in lines]
    assert keys == [
        "etcd.size",
        "colour",
        "network.serviceCidr",
        "etcd.electionMs",
        "controllers.leaseDuration",
    ]


def test_a_rule_between_keys_is_not_told_over_a_key_that_is_broken_itself():
    lines = problems({"etcd": {"size": 4}, "network": {"zones": 2}})
    assert [line.split(":")[0] for line in lines] == ["etcd.size"]


def test_a_stack_name_that_is_no_cluster_name_is_told_as_such():
    (line,) = problems({}, stack="Team_A")
    assert line.startswith("clusterName: must be a DNS label")


def test_two_zones_can_be_accepted():
    settings = check({"network": {"zones": 2, "acceptTwoZones": True}}, stack="test")
    assert settings.quorum.members_per_zone == (2, 1)
    assert settings.quorum.zones_that_may_fail == 0


def test_instance_types_default_by_architecture():
    amd64 = check({}, stack="test")
    arm64 = check({"architecture": "arm64"}, stack="test")
    assert amd64.instance_type(None) == "m6i.large"
    assert arm64.instance_type(None) == "m7g.large"
    assert amd64.instance_type("t3.medium") == "t3.medium"


EXISTING = {
    "vpcId": "vpc-0a",
    "zones": {
        f"eu-central-1{letter}": {
            "privateSubnetId": f"subnet-{letter}0",
            "etcdSubnetId": f"subnet-{letter}1",
            "etcdCidr": f"10.0.{number}.0/28",
        }
        for number, letter in enumerate("abc")
    },
}


def test_an_existing_network_names_its_zones():
    settings = check({"network": {"existing": EXISTING}}, stack="test")
    assert settings.network.zone_count == 3


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"etcdCidr": "10.1.0.0/28"}, "must lie within network.cidr 10.0.0.0/16"),
        ({"etcdCidr": "10.0.0.0/29"}, "must be a /28 or larger"),
        ({"etcdCidr": "10.0.1.0/28"}, "must not overlap the etcd subnet"),
        ({"privateSubnetId": "net-1"}, "must match"),
    ],
)
def test_existing_subnets_are_checked(changes, line):
    zones = {
        **EXISTING["zones"],
        "eu-central-1a": {**EXISTING["zones"]["eu-central-1a"], **changes},
    }
    lines = problems({"network": {"existing": {**EXISTING, "zones": zones}}})
    assert any(line in found for found in lines), lines


def test_a_public_balancer_needs_public_subnets_of_an_existing_network():
    lines = problems(
        {
            "network": {"existing": EXISTING},
            "api": {"internal": False, "allowedCidrs": ["0.0.0.0/0"]},
        }
    )
    assert len(lines) == 3
    assert all("publicSubnetId: must be set when api.internal is false" in line for line in lines)


@given(seconds=st.integers(1, 10**6))
def test_durations_survive_writing_and_reading(seconds):
    assert parse_duration(format_duration(timedelta(seconds=seconds))) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("text", "seconds"), [("2m10s", 130), ("1h", 3600), ("1.5s", 1.5), ("1h1m1s", 3661)]
)
def test_durations_read_as_kubernetes_writes_them(text, seconds):
    assert parse_duration(text).total_seconds() == seconds


@given(text=st.text(max_size=6))
def test_durations_refuse_everything_else_with_a_sentence(text):
    try:
        assert parse_duration(text) > timedelta()
    except ValueError as error:
        assert str(error).startswith("must be")  # noqa: PT017 - text that is a duration is fine


def test_a_public_load_balancer_and_no_way_out_lock_the_workers_out():
    values = {
        "network": {"nat": "none"},
        "ami": "ami-0123456789abcdef0",
        "artifacts": {"mirror": "https://mirror.internal"},
        "api": {"internal": False, "allowedCidrs": ["192.0.2.0/24"]},
    }
    (problem,) = problems(values)
    assert problem.startswith("api.internal: must be true when network.nat is none: workers have")
    check({**values, "network": {"nat": "single"}}, stack="t")


def test_every_cidr_is_a_rule_of_the_load_balancers_group():
    people = [f"192.0.2.{i}/32" for i in range(40)]
    workers = [f"198.51.100.{i}/32" for i in range(11)]
    (problem,) = problems({"api": {"allowedCidrs": people}, "network": {"workerCidrs": workers}})
    assert problem == (
        "api.allowedCidrs: must be at most 50 CIDRs together with network.workerCidrs, each is a "
        "rule, got '51 CIDRs'"
    )
    check({"api": {"allowedCidrs": people}, "network": {"workerCidrs": workers[:10]}}, stack="t")


def test_what_an_adopted_network_has_of_its_own_is_its_owners():
    existing = {
        "vpcId": "vpc-0a",
        "instanceConnectGroupId": "sg-0e",
        "zones": {
            f"eu-central-1{zone}": {
                "privateSubnetId": f"subnet-{zone}1",
                "etcdSubnetId": f"subnet-{zone}2",
                "etcdCidr": f"10.0.{number}.0/28",
            }
            for number, zone in enumerate("abc")
        },
    }
    flow_logs, group = problems({"network": {"existing": existing, "flowLogDays": 30}})
    assert flow_logs.startswith("network.flowLogDays: must be left out with network.existing: flow")
    assert group.startswith(
        "network.existing.instanceConnectGroupId: must be left out when operatorAccess is none: it"
    )
    keys = [ed25519()]
    operator = {"operatorAccess": "instance-connect", "operatorKeys": keys}
    check({"network": {"existing": existing}, **operator}, stack="t")


@pytest.mark.parametrize(
    ("text", "written"),
    [("500ms", "0.5s"), ("10ms", "0.01s"), ("0.00001s", "0.00001s"), ("1h500ms", "3600.5s")],
)
def test_durations_are_written_as_go_reads_them(text, written):
    assert format_duration(parse_duration(text)) == written


@pytest.mark.parametrize(
    "values",
    [
        {"etcd": {"dataVolume": {"sizeGib": 65536, "iops": 80000, "throughput": 2000}}},
        {"network": {"serviceCidr": "10.96.0.0/25"}},
        {"network": {"serviceCidr": "10.96.0.0/28"}},
        {"controllers": {"retryPeriod": "500ms"}},
        {"etcd": {"instanceType": "i3.metal"}},
        {"clusterName": "internals"},
        {"api": {"size": 6}, "network": {"zones": 2, "acceptTwoZones": True}},
    ],
)
def test_what_aws_and_kubernetes_accept_is_accepted(values):
    check(values, stack="test")


def with_keys(*keys):
    return {"operatorAccess": "instance-connect", "operatorKeys": list(keys)}


@pytest.mark.parametrize(
    "key",
    [
        ed25519(comment="alice at home, 2026"),
        rsa(2048),
        ecdsa(),
        ecdsa("nistp384", 48),
        ecdsa("nistp521", 66),
        sk_ed25519(),
        sk_ecdsa(),
    ],
)
def test_keys_of_openssh_are_accepted(key):
    assert check(with_keys(key), stack="test").operator_keys == [key]


@pytest.mark.parametrize(
    ("key", "rule"),
    [
        ("ssh-ed25519 AAAA", "it is cut off"),
        (ed25519()[:-8], "it is cut off"),
        (ed25519().replace("ssh-ed25519 ", "ssh-rsa "), "it is of type 'ssh-ed25519'"),
        (rsa(1024), "RSA keys need 2048 bits at least"),
        (f"{ed25519()}AAAA", "must be a whole key|more follows"),
        (ecdsa("nistp256", 48), "it holds no point of its curve"),
        (f'from="10.0.0.0/8" {ed25519()}', "must be an OpenSSH public key"),
        (ed25519(comment="a\nssh-rsa"), "must have a comment of printable characters"),
        (ed25519(comment="{{x}}"), "must have a comment of printable characters, without {{"),
    ],
)
def test_other_keys_are_refused_with_the_reason(key, rule):
    (line,) = problems(with_keys(key))
    assert line.startswith("operatorKeys.0: ")
    assert re.search(rule, line), line


def test_keys_fit_into_a_parameter():
    (line,) = problems(with_keys(*[rsa()] * 5))
    assert line.startswith("operatorKeys: must have at most 3000 bytes together")


def test_a_subnet_is_used_once():
    for field, other in (("privateSubnetId", "subnet-b0"), ("etcdSubnetId", "subnet-a0")):
        zones = {
            **EXISTING["zones"],
            "eu-central-1a": {**EXISTING["zones"]["eu-central-1a"], field: other},
        }
        (line,) = problems({"network": {"existing": {**EXISTING, "zones": zones}}})
        assert line.startswith("network.existing.zones: must name each subnet once")
        assert other in line


def test_two_zones_of_an_existing_network_are_told_by_their_own_key():
    zones = dict(list(EXISTING["zones"].items())[:2])
    (line,) = problems({"network": {"existing": {**EXISTING, "zones": zones}}})
    assert line.startswith("network.existing.zones: must be 3: over two zones")


def test_a_broken_section_is_told_without_rules_that_read_it():
    lines = problems({"network": {"existing": 5, "nat": "none"}})
    assert lines == ["network.existing: must be a mapping, got 5"]


def test_a_broken_item_of_a_list_hides_nothing():
    lines = problems(
        {
            "api": {"allowedCidrs": ["10.0.0.0/8", "ten"]},
            "etcd": {"electionMs": 100},
            "network": {
                "existing": {"vpcId": "vpc-0a", "zones": {"a": {"etcdSubnetId": 5, "etcdCidr": 1}}}
            },
            "pki": {"leafDays": 400, "caYears": 1},
        }
    )
    keys = [line.split(": ")[0] for line in lines]
    assert keys == [
        "network.existing.zones.a.etcdSubnetId",
        "network.existing.zones.a.etcdCidr",
        "api.allowedCidrs.1",
        "etcd.electionMs",
        "pki.leafDays",
    ]


@pytest.mark.parametrize(
    ("others", "line"),
    [
        (
            {"ha-kubernets:etcd": "{}"},
            "ha-kubernets:etcd: is read by nobody; is ha-kubernetes:etcd meant?",
        ),
        ({"HA-Kubernetes:etcd": "{}"}, "HA-Kubernetes:etcd: is read by nobody"),
        ({"kubernetes:etcd.size": "5"}, "kubernetes:etcd.size: is read by nobody"),
        ({"aws:region": "eu-central-1a"}, "aws:region: must be a region such as eu-central-1"),
        ({"aws:region": "EU-Central-1"}, "aws:region: must be a region such as eu-central-1"),
    ],
)
def test_other_namespaces_are_looked_at(others, line):
    with pytest.raises(ConfigError) as error:
        check({"etcd": {"size": 4}}, stack="test", others=others)
    first, second = str(error.value).splitlines()
    assert first.startswith("etcd.size: ")
    assert second.startswith(line)


def test_namespaces_of_others_are_left_alone():
    others = {"aws:region": "us-gov-west-1", "kubernetes:context": "x", "pulumi:tags": "{}"}
    check({}, stack="test", others=others)


def test_the_alarm_of_a_certificate_and_its_shortest_life_go_together():
    assert CERTIFICATE_DAYS == CERTIFICATE_ALARM_DAYS < MIN_LEAF_DAYS
