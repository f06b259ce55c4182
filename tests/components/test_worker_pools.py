"""Pools of workers: groups, launch templates, roles, and what a cluster has only with them."""

import json
from fnmatch import fnmatchcase

import pytest
import yaml

from components.workers.pod_capacity import PodCapacity, pod_capacity
from config import check
from node.owned import FIRST
from tests.components.builders import worker_pool
from tests.recording import REGION, SMALL, ZONES, is_secret, tags_of, user_data

POOLS = {
    "general": {"min": 2},
    "batch": {
        "min": 4,
        "max": 7,
        "perZone": True,
        "spot": True,
        "instanceType": "t3.medium",
        "diskGib": 80,
        "labels": {"team": "a"},
        "taints": ["batch=true:NoSchedule"],
    },
}
ACCOUNT = f"{REGION}:123456789012"
KEY = f"arn:aws:kms:{ACCOUNT}:key/test-key-id"


@pytest.fixture(scope="module")
def pools(deploy_stack):
    return deploy_stack({**SMALL, "workers": POOLS})


@pytest.fixture(scope="module")
def none(deploy_stack):
    return deploy_stack(SMALL)


def statements(pools, name):
    document = json.loads(pools.of("RolePolicy")[name]["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def files(template):
    document = yaml.safe_load(user_data(template))
    return {file["path"]: file["content"] for file in document["write_files"]}


def test_a_pool_is_as_many_resources_whatever_its_size(deploy):
    def built(**pool):
        deployment = deploy(lambda: worker_pool(**pool) and None)
        return sorted((resource.type, resource.name) for resource in deployment.resources)

    assert built(min=0) == built(min=1000)
    assert [type_.rsplit(":", 1)[1] for type_, _ in built(min=3)] == [
        "Group",
        "LifecycleHook",
        "LifecycleHook",
        "LaunchTemplate",
        "InstanceProfile",
        "Role",
        "RolePolicy",
        "InstanceRole",
        "WorkerPool",
    ]


def test_one_group_over_all_zones_or_one_for_each(pools):
    groups = pools.of("Group")
    assert set(groups) == {
        "test-workers-general",
        *(f"test-workers-batch-{zone}" for zone in ZONES),
    }
    general = groups["test-workers-general"]
    assert general["vpcZoneIdentifiers"] == [f"test-workers-{zone}-id" for zone in ZONES]
    for zone in ZONES:
        group = groups[f"test-workers-batch-{zone}"]
        assert group["vpcZoneIdentifiers"] == [f"test-workers-{zone}-id"]


def test_pulumi_sets_limits_and_leaves_the_number_to_an_autoscaler(pools):
    groups = pools.of("Group")
    for name, group in groups.items():
        assert "desiredCapacity" not in group
        assert group["name"] == name
        assert pools.registrations("Group")[name].ignore_changes == ()
        assert group["waitForCapacityTimeout"] == "0", "an autoscaler's number is nobody's to await"
    general = groups["test-workers-general"]
    assert (general["minSize"], general["maxSize"]) == (2, 2)
    batch = [groups[f"test-workers-batch-{zone}"] for zone in ZONES]
    assert sum(group["minSize"] for group in batch) == 4
    assert sum(group["maxSize"] for group in batch) == 7


def test_another_template_replaces_machines_one_after_the_other(pools):
    for group in pools.of("Group").values():
        refresh = group["instanceRefresh"]
        assert refresh["strategy"] == "Rolling"
        preferences = refresh["preferences"]
        assert preferences["minHealthyPercentage"] == 100
        # EC2 refuses more than a hundred between the two.
        assert 100 < preferences["maxHealthyPercentage"] <= 200
        assert preferences["skipMatching"] is True
        # A number and no "$Latest": otherwise a change of the template would not be one of the
        # group, and replace nothing.
        assert group["launchTemplate"]["version"] == "1"
    templates = {group["launchTemplate"]["id"] for group in pools.of("Group").values()}
    assert templates == {"test-workers-general-id", "test-workers-batch-id"}


@pytest.mark.parametrize(
    ("hook", "transition", "result"),
    [("drain", "TERMINATING", "CONTINUE"), ("join", "LAUNCHING", "ABANDON")],
)
def test_machines_join_before_they_count_and_are_drained_before_they_go(
    pools, hook, transition, result
):
    """Also when their pool goes: a hook is deleted with its group, and not before it."""
    found = {
        name: one
        for name, one in pools.registrations("LifecycleHook").items()
        if name.endswith(f"-{hook}")
    }
    assert set(found) == {f"{group}-{hook}" for group in pools.of("Group")}
    for name, one in found.items():
        group = name.removesuffix(f"-{hook}")
        assert one.inputs == {
            "name": hook,
            "autoscalingGroupName": group,
            "lifecycleTransition": f"autoscaling:EC2_INSTANCE_{transition}",
            "heartbeatTimeout": 900,
            "defaultResult": result,
        }
        assert one.deleted_with == pools.urn("Group", group)


def test_hooks_are_no_part_of_their_group_whose_change_would_replace_it(pools):
    """A machine is in service once it joined; what no provider sends would be the grace instead."""
    for group in pools.of("Group").values():
        assert "initialLifecycleHooks" not in group
        assert 0 < group["defaultInstanceWarmup"] < group["healthCheckGracePeriod"]


def test_pools_go_before_the_api_servers_that_they_drain_with(pools):
    for group in pools.registrations("Group").values():
        for server in pools.registrations("Instance"):
            if "-api-" in server:
                assert pools.urn("Instance", server) in group.dependencies


def test_machines_need_what_they_fetch_and_what_they_go_through(pools):
    for group in pools.registrations("Group").values():
        for type_, name in (
            ("Parameter", "test-worker-ca"),
            ("Parameter", "test-join-token"),
            ("Parameter", "test-operations"),
            ("BucketObjectv2", "test-program"),
            ("Route", f"test-private-{ZONES[0]}"),
        ):
            assert pools.urn(type_, name) in group.dependencies


def test_tags_tell_the_cluster_and_the_pool_and_reach_the_machines(pools):
    for name, group in pools.of("Group").items():
        pool = name.removeprefix("test-workers-").partition("-")[0]
        assert tags_of(group) == {
            "kubernetes.io/cluster/test": "owned",
            "ha-kubernetes:cluster": "test",
            "ha-kubernetes:pool": pool,
            "Name": f"test-workers-{pool}",
        }
        assert all(tag["propagateAtLaunch"] for tag in group["tags"])
    for name, template in pools.of("LaunchTemplate").items():
        kinds = {tagged["resourceType"]: tagged["tags"] for tagged in template["tagSpecifications"]}
        spot = {"spot-instances-request"} if "batch" in name else set()
        assert kinds.keys() == {"volume", "network-interface", *spot}
        assert kinds["volume"]["Name"] == f"{name}-root"
        for tags in kinds.values():
            assert tags["ha-kubernetes:cluster"] == "test"


def test_machines_are_what_their_pool_says(pools):
    general, batch = (
        pools.of("LaunchTemplate")[f"test-workers-{pool}"] for pool in ("general", "batch")
    )
    assert (general["instanceType"], batch["instanceType"]) == ("m6i.large", "t3.medium")
    assert "instanceMarketOptions" not in general
    assert batch["instanceMarketOptions"] == {"marketType": "spot"}
    sizes = [one["blockDeviceMappings"][0]["ebs"]["volumeSize"] for one in (general, batch)]
    assert sizes == [30, 80]
    for template in (general, batch):
        assert template["imageId"] == "ami-0123456789abcdef0"
        (disk,) = template["blockDeviceMappings"]
        # Under another name it would be a second disk beside an unencrypted one.
        assert disk["deviceName"] == "/dev/xvda"
        assert disk["ebs"]["deleteOnTermination"] == "true"
        (interface,) = template["networkInterfaces"]
        assert interface["securityGroups"] == ["test-workers-id"]
        assert "vpcSecurityGroupIds" not in template
    assert not pools.of("Group")["test-workers-general"]["capacityRebalance"]
    assert pools.of("Group")[f"test-workers-batch-{ZONES[0]}"]["capacityRebalance"]


def test_room_for_pods_is_what_the_interface_can_have(pools):
    wanted = {"general": (7, 110), "batch": (5, 80)}
    for pool, (prefixes, pods) in wanted.items():
        template = pools.of("LaunchTemplate")[f"test-workers-{pool}"]
        assert template["networkInterfaces"][0]["ipv4PrefixCount"] == prefixes
        assert f"maxPods: {pods}\n" in files(template)["/etc/kubernetes/kubelet.yaml"]
        assert pools.exports()["workers"][pool]["podsPerMachine"] == pods


def test_a_network_of_ones_own_needs_no_prefix(deploy_stack):
    without = deploy_stack(
        {**SMALL, "network": {"podNetwork": "none"}, "workers": {"general": {"min": 1}}}
    )
    (template,) = without.of("LaunchTemplate").values()
    assert "ipv4PrefixCount" not in template["networkInterfaces"][0]
    assert "maxPods: 110\n" in files(template)["/etc/kubernetes/kubelet.yaml"]


@pytest.mark.parametrize(
    ("addresses", "expected"),
    # t3.micro, t3.medium, m6i.large, m6i.4xlarge.
    [(2, (1, 16)), (6, (5, 80)), (10, (7, 110)), (30, (7, 110))],
)
def test_pods_of_an_instance_type(addresses, expected):
    settings = check({"workers": {"general": {"min": 1}}}, stack="demo")
    assert pod_capacity(settings, addresses) == PodCapacity(*expected)


def test_workers_come_from_the_load_balancer_and_the_bucket(pools):
    for name, template in pools.of("LaunchTemplate").items():
        document = json.loads(files(template)["/etc/ha-kubernetes/node.json"])
        assert document["name"] == name
        assert document["agent"]["bucket"] == "test-bucket-id"
        assert document["worker"]["api"] == pools.exports()["apiUrl"]


# Roles


def test_a_worker_reads_what_it_joins_with_and_nothing_of_the_control_plane(pools):
    for pool in POOLS:
        found = statements(pools, f"test-workers-{pool}")
        assert set(found) == {"Join", "DecryptJoinToken", "Agent", "DecryptObjects", "Hooks"}
        assert found["Join"]["Resource"] == [
            f"arn:aws:ssm:{ACCOUNT}:parameter/test/{path}"
            for path in ("workers/join-token", "workers/ca", "operations")
        ]
        assert found["DecryptJoinToken"]["Condition"] == {
            "StringEquals": {
                "kms:EncryptionContext:PARAMETER_ARN": (
                    f"arn:aws:ssm:{ACCOUNT}:parameter/test/workers/join-token"
                )
            }
        }
        assert found["Agent"]["Resource"] == ["arn:aws:s3:::test-bucket-id/agent/*"]
        text = pools.of("RolePolicy")[f"test-workers-{pool}"]["policy"]
        for taboo in ("/nodes/", "/etcd/", "snapshots", "Put", "ec2:", "iam:", "Delete"):
            assert taboo not in text


def test_a_worker_ends_launches_and_drains_of_its_own_pool_alone(pools):
    def names(pool):
        drain = statements(pools, f"test-workers-{pool}")["Hooks"]
        assert drain["Action"] == [
            "autoscaling:CompleteLifecycleAction",
            "autoscaling:RecordLifecycleActionHeartbeat",
        ]
        start = f"arn:aws:autoscaling:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/"
        assert all(resource.startswith(start) for resource in drain["Resource"])
        return [resource.removeprefix(start) for resource in drain["Resource"]]

    assert names("general") == ["test-workers-general"]
    assert names("batch") == [f"test-workers-batch-{zone}" for zone in ZONES]


def test_api_servers_make_the_token_and_see_who_asks(pools):
    token = f"arn:aws:ssm:{ACCOUNT}:parameter/test/workers/join-token"
    for server in (name for name in pools.of("Instance") if "-api-" in name):
        found = statements(pools, server)
        assert found["JoinToken"]["Resource"] == [token]
        assert "ssm:PutParameter" in found["JoinToken"]["Action"]
        assert found["EncryptJoinToken"]["Condition"] == {
            "StringEquals": {"kms:EncryptionContext:PARAMETER_ARN": token}
        }
        assert found["Addons"]["Resource"] == [f"arn:aws:ssm:{ACCOUNT}:parameter/test/cluster"]
        assert found["Instances"]["Action"] == ["ec2:DescribeInstances"]


def test_api_servers_end_drains_of_this_clusters_groups_alone(pools):
    start = f"arn:aws:autoscaling:{ACCOUNT}:autoScalingGroup:*:autoScalingGroupName/"
    groups = [group["name"] for group in pools.of("Group").values()]
    for server in (name for name in pools.of("Instance") if "-api-" in name):
        found = statements(pools, server)
        assert all(one.startswith("autoscaling:Describe") for one in found["Groups"]["Action"])
        drain = found["EndDrain"]
        assert drain["Action"] == ["autoscaling:CompleteLifecycleAction"]
        (pattern,) = drain["Resource"]
        assert groups
        assert all(fnmatchcase(name, pattern.removeprefix(start)) for name in groups)
        ((key, value),) = drain["Condition"]["StringEquals"].items()
        for group in pools.of("Group").values():
            tags = {tag["key"]: tag["value"] for tag in group["tags"]}
            assert tags[key.removeprefix("aws:ResourceTag/")] == value


def test_members_have_nothing_to_do_with_workers(pools, none):
    for name, policy in none.of("RolePolicy").items():
        if "-etcd-" in name:
            assert pools.of("RolePolicy")[name] == policy


# The cluster


def test_api_servers_have_a_certificate_for_the_cluster_agent(pools):
    servers = [name for name in pools.of("Instance") if "-api-" in name]
    assert servers
    for server in servers:
        certificate = pools.of("LocallySignedCert")[f"{server}-cluster-agent"]
        assert certificate["allowedUses"] == ["digital_signature", "client_auth"]
        assert certificate["caCertPem"] == "certificate test-kubernetes-ca"
        assert pools.of("CertRequest")[f"{server}-cluster-agent"]["subject"] == {
            "commonName": "ha-kubernetes:cluster-agent",
            "organization": "system:masters",
        }
        parameters = pools.of("Parameter")
        assert {f"{server}-cluster-agent.crt", f"{server}-cluster-agent.key"} <= set(parameters)


def test_parameters_of_workers(pools):
    parameters = pools.of("Parameter")
    ca, token = parameters["test-worker-ca"], parameters["test-join-token"]
    assert (ca["name"], ca["type"]) == ("/test/workers/ca", "String")
    assert ca["value"] == "certificate test-kubernetes-ca"
    assert (token["name"], token["type"]) == ("/test/workers/join-token", "SecureString")
    assert token["keyId"] == KEY
    addons = parameters["test-addons"]
    assert addons["name"] == "/test/cluster"
    assert json.loads(addons["value"])["key"] == KEY


def test_the_join_token_begins_empty_and_is_the_control_planes_from_then_on(pools):
    token = pools.registrations("Parameter")["test-join-token"]
    assert is_secret(token.raw["value"])
    assert json.loads(token.inputs["value"]) == {}
    (formation,) = (
        one
        for one in pools.registrations("Parameter").values()
        if one.inputs["name"] == "/test/etcd/formation"
    )
    assert token.ignore_changes == formation.ignore_changes
    assert json.loads(formation.inputs["value"])["version"] == FIRST


def test_auto_scaling_may_use_the_key_for_disks_and_nobody_else_may(pools, none):
    before = json.loads(none.of("Key")["test"]["policy"])["Statement"]
    found = json.loads(pools.of("Key")["test"]["policy"])["Statement"]
    assert found[: len(before)] == before
    use, grant = found[len(before) :]
    role = (
        "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/"
        "AWSServiceRoleForAutoScaling"
    )
    for statement in (use, grant):
        # The role need not exist yet, as a principal would have to.
        assert statement["Principal"] == {"AWS": "*"}
        condition = statement["Condition"]
        assert condition["StringEquals"] == {"kms:CallerAccount": "123456789012"}
        assert condition["ArnEquals"] == {"aws:PrincipalArn": role}
    assert grant["Action"] == ["kms:CreateGrant"]
    assert grant["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}
    assert "kms:CreateGrant" not in use["Action"]
    assert not any(action.partition(":")[2] == "*" for action in use["Action"])


def test_a_stack_without_pools_has_nothing_of_them(none):
    for kind in ("Group", "LaunchTemplate", "LifecycleHook"):
        assert none.of(kind) == {}
    names = [resource.name for resource in none.resources]
    for word in ("cluster-agent", "join-token", "worker-ca", "addons"):
        assert not [name for name in names if word in name]
    assert none.exports()["workers"] == {}
    for name, policy in none.of("RolePolicy").items():
        assert "workers" not in policy["policy"], name


def test_outputs_name_every_group(pools):
    found = pools.exports()["workers"]
    assert {name for pool in found.values() for name in pool["groups"]} == set(pools.of("Group"))
