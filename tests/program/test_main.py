import logging

import grpc
import pulumi
import pytest
import yaml

from tests.recording import SMALL, Cloud, run_stack


@pytest.mark.parametrize(
    ("stack", "members", "servers"), [("local", 3, 3), ("dev", 3, 2), ("prod", 3, 3)]
)
def test_every_stack_of_the_repository_deploys(stack, members, servers):
    program = run_stack(stack)
    instances = program.of("Instance")
    assert len([n for n in instances if n.startswith(f"{stack}-etcd-")]) == members
    assert len([n for n in instances if n.startswith(f"{stack}-api-")]) == servers
    assert program.loose() == []
    assert all(k.protect is (stack == "prod") for k in program.registrations("Key").values())


def test_outputs(cluster):
    exports = cluster.exports()
    assert set(exports) == {
        "apiUrl",
        "caCertificate",
        "kubeconfig",
        "etcd",
        "controllers",
        "nodes",
        "workers",
        "alarmTopicArn",
        "workersSecurityGroupId",
        "nextSteps",
    }
    assert exports["apiUrl"] == "https://test-api.elb.eu-central-1.amazonaws.com:6443"
    assert exports["caCertificate"] == "certificate test-kubernetes-ca"
    assert exports["etcd"] == {
        "size": 3,
        "quorum": 2,
        "membersPerZone": [1, 1, 1],
        "membersThatMayFail": 1,
        "zonesThatMayFail": 1,
        "endpoints": [
            "https://10.0.224.4:2379",
            "https://10.0.224.21:2379",
            "https://10.0.224.38:2379",
        ],
    }
    assert exports["controllers"] == {
        "leaseDuration": "15s",
        "renewDeadline": "10s",
        "retryPeriod": "2s",
    }
    assert exports["nodes"]["etcd-1"] == {
        "zone": "eu-central-1b",
        "address": "10.0.224.21",
        "instanceId": "test-etcd-1-id",
    }
    assert set(exports["nodes"]) == {f"{t}-{n}" for t in ("etcd", "api") for n in range(3)}


def test_the_kubeconfig_is_secret_and_complete(cluster):
    from tests.recording import is_secret, plain

    secret = cluster.exports()["kubeconfig"]
    assert is_secret(secret)
    kubeconfig = yaml.safe_load(plain(secret))
    assert kubeconfig["current-context"] == "test"
    (entry,) = kubeconfig["clusters"]
    assert entry["cluster"]["server"] == cluster.exports()["apiUrl"]
    (user,) = kubeconfig["users"]
    assert set(user["user"]) == {"client-certificate-data", "client-key-data"}


@pytest.mark.parametrize("preview", [True, False])
def test_every_run_prints_the_quorum_arithmetic(deploy_stack, caplog, preview):
    with caplog.at_level(logging.INFO):
        deploy_stack({**SMALL, "etcd": {"size": 5}}, preview=preview)
    expected = "etcd: 5 members over 3 zones (2-2-1), quorum 3: 2 member(s) or 1 zone(s) may fail"
    assert expected in caplog.text


def refused(deploy_stack, config=None, **options):
    cloud = options.setdefault("cloud", Cloud())
    created = []
    record = cloud.new_resource
    cloud.new_resource = lambda args: created.append(args.name) or record(args)  # type: ignore[method-assign]
    with pytest.raises(pulumi.RunError) as error:
        deploy_stack(config, **options)
    assert created == [], "a resource was registered before the error"
    return str(error.value)


def test_a_bad_configuration_stops_before_any_resource(deploy_stack):
    message = refused(deploy_stack, {"etcd": {"size": 4}, "size": 3})
    assert message.splitlines()[0].startswith("etcd.size: must be odd")
    assert message.splitlines()[1].startswith("size: is no known key")


def test_text_where_a_mapping_belongs(deploy_stack):
    assert refused(deploy_stack, {"etcd": "five"}) == "etcd: must be a mapping, got 'five'"


def test_zones_that_the_region_lacks(deploy_stack):
    message = refused(
        deploy_stack,
        {"network": {"zones": ["eu-central-1a", "eu-central-1b", "eu-central-1z"]}},
    )
    assert message == (
        "network.zones: must be zones of eu-central-1 "
        "(eu-central-1a, eu-central-1b, eu-central-1c), got eu-central-1z"
    )


def test_a_region_with_too_few_zones(deploy_stack):
    message = refused(deploy_stack, cloud=Cloud(zones=["eu-central-1a", "eu-central-1b"]))
    assert message == (
        "network.zones: eu-central-1 has 2 zones (eu-central-1a, eu-central-1b), got 3"
    )


def test_an_image_of_another_architecture(deploy_stack):
    message = refused(
        deploy_stack,
        {"ami": "ami-0123456789abcdef0"},
        cloud=Cloud(image_architecture="arm64"),
    )
    assert message == (
        "ami: must be of architecture amd64 (x86_64), got ami-0123456789abcdef0, which is arm64"
    )


@pytest.mark.parametrize("region", ["", "EU-CENTRAL-1", "eu-central-1a", "frankfurt"])
def test_what_is_no_region_is_told_under_its_key(deploy_stack, region):
    message = refused(deploy_stack, {"aws:region": region})
    assert message.startswith("aws:region: must be a region such as eu-central-1, in lower case")


def test_other_partitions_are_refused_in_one_line(deploy_stack):
    message = refused(deploy_stack, {"aws:region": "cn-north-1"}, cloud=Cloud(partition="aws-cn"))
    assert message.startswith("aws:region: must be a region of the partition aws, got 'cn-north-1'")
    assert "\n" not in message


class Failing(Cloud):
    """An account that refuses one kind of question."""

    def __init__(self, token, says="api error UnauthorizedOperation: You are not authorized"):
        super().__init__()
        self._token, self._says = token, says

    def call(self, args):
        if args.token.endswith(f":{self._token}"):
            raise ProviderError(self._says)
        return super().call(args)


class ProviderError(grpc.RpcError):
    def __init__(self, says):
        super().__init__(says)
        self._says = says

    def code(self):
        return grpc.StatusCode.UNKNOWN

    def details(self):
        return self._says


@pytest.mark.parametrize(
    ("token", "key"),
    [
        ("getCallerIdentity", "AWS credentials: "),
        ("getAvailabilityZones", "network.zones: the zones of eu-central-1 are unknown: "),
        ("getInstanceTypeOfferings", "etcd.instanceType: "),
        ("getInstanceType", "etcd.instanceType: "),
        ("getParametersByPath", "clusterName: "),
        ("getAmi", "ami: must be set, unless eu-central-1 has an image of Debian 13 (amd64): "),
    ],
)
def test_a_question_that_aws_refuses_is_one_line_under_a_key(deploy_stack, token, key):
    message = refused(deploy_stack, cloud=Failing(token))
    assert message.startswith(key)
    assert message.endswith("You are not authorized")
    assert "\n" not in message


def test_a_region_that_the_provider_does_not_know_is_told_under_its_key(deploy_stack):
    cloud = Failing("getCallerIdentity", "invalid AWS Region: eu-centrl-1")
    assert refused(deploy_stack, {"aws:region": "eu-centrl-1"}, cloud=cloud) == (
        "aws:region: invalid AWS Region: eu-centrl-1"
    )


def test_credentials_that_do_not_work(deploy_stack):
    cloud = Failing("getCallerIdentity", "no valid credential sources found")
    message = refused(deploy_stack, cloud=cloud)
    assert message == "AWS credentials: no valid credential sources found"
