from config import check
from tests.components.builders import api_tier
from tests.recording import ZONES, user_data


def test_a_machine_for_each_api_server(cluster):
    instances = {n: i for n, i in cluster.of("Instance").items() if "-api-" in n}
    assert set(instances) == {"test-api-0", "test-api-1", "test-api-2"}
    node = dict(instances["test-api-2"])
    assert user_data(node).startswith("#cloud-config\n")
    del node["userDataBase64"]
    assert "privateIp" not in node, "a successor could not start beside a machine that has it"
    assert node["subnetId"] == f"test-private-{ZONES[2]}-id"
    assert node["vpcSecurityGroupIds"] == ["test-api-id"]
    assert node["iamInstanceProfile"] == "test-api-2"
    assert node["placementGroup"] == "test-api"
    assert node["userDataReplaceOnChange"] is True
    assert node["metadataOptions"] == {
        "httpEndpoint": "enabled",
        "httpTokens": "required",
        "httpPutResponseHopLimit": 1,
    }


def test_each_registers_its_address_with_the_balancer(cluster):
    targets = cluster.of("TargetGroupAttachment")
    assert set(targets) == {"test-api-0", "test-api-1", "test-api-2"}
    for name, target in targets.items():
        assert target["port"] == 6443
        assert (
            target["targetId"] == cluster.exports()["nodes"][name.removeprefix("test-")]["address"]
        )
        assert target["targetGroupArn"].endswith("targetgroup/test-api/1")


def test_successors_come_first_and_one_at_a_time(cluster):
    instances = cluster.registrations("Instance")
    for number in (1, 2):
        before = f"test-api-{number - 1}"
        node = instances[f"test-api-{number}"]
        assert not node.delete_before_replace
        assert cluster.urn("Instance", before) in node.dependencies
        assert cluster.urn("TargetGroupAttachment", before) in node.dependencies


def test_api_servers_do_not_wait_for_the_membership(cluster):
    for name, node in cluster.registrations("Instance").items():
        if "-api-" in name:
            assert cluster.urn("Parameter", "test-etcd-members") not in node.dependencies
            assert not any("EtcdTier" in urn for urn in node.dependencies)


def test_the_size_of_the_tier_touches_no_other_api_server(deploy):
    two, four = (
        deploy(lambda size=size: api_tier(check({"api": {"size": size}}, stack="test")) and None)
        for size in (2, 4)
    )
    assert len([n for n in four.of("Instance") if "-api-" in n]) == 4
    for name, instance in two.of("Instance").items():
        assert four.of("Instance")[name] == instance
