import pytest

from tests.recording import SMALL, ZONES


def test_the_balancer(cluster):
    assert cluster.of("LoadBalancer") == {
        "test-api": {
            "loadBalancerType": "network",
            "internal": True,
            "subnets": [f"test-private-{zone}-id" for zone in ZONES],
            "securityGroups": ["test-balancer-id"],
            "enableCrossZoneLoadBalancing": True,
            "enableDeletionProtection": True,
            "tags": {"kubernetes.io/cluster/test": "owned", "Name": "test-api"},
        }
    }


def test_the_target_group_asks_for_readiness_and_lets_unhealthy_targets_finish(cluster):
    group = cluster.of("TargetGroup")["test-api"]
    assert group == {
        "vpcId": "test-id",
        "port": 6443,
        "protocol": "TCP",
        "targetType": "ip",
        "preserveClientIp": "false",
        "deregistrationDelay": 60,
        "healthCheck": {
            "protocol": "HTTPS",
            "path": "/readyz",
            "matcher": "200",
            "interval": 5,
            "timeout": 4,
            "healthyThreshold": 2,
            "unhealthyThreshold": 2,
        },
        "targetHealthStates": [
            {"enableUnhealthyConnectionTermination": False, "unhealthyDrainingInterval": 300}
        ],
        "tags": {"kubernetes.io/cluster/test": "owned", "Name": "test-api"},
    }


def test_the_listener(cluster):
    listener = cluster.of("Listener")["test-api"]
    assert (listener["port"], listener["protocol"]) == (6443, "TCP")
    assert listener["loadBalancerArn"].endswith("loadbalancer/net/test-api/1")
    (action,) = listener["defaultActions"]
    assert action["type"] == "forward"
    assert action["targetGroupArn"].endswith("targetgroup/test-api/1")


def test_a_public_balancer_stands_in_the_public_subnets(deploy_stack):
    cluster = deploy_stack(
        {**SMALL, "api": {"size": 2, "internal": False, "allowedCidrs": ["203.0.113.0/24"]}}
    )
    balancer = cluster.of("LoadBalancer")["test-api"]
    assert balancer["internal"] is False
    assert balancer["subnets"] == [f"test-public-{zone}-id" for zone in ZONES]


@pytest.mark.parametrize("name", ["a", "a" * 20])
def test_names_leave_room_for_pulumis_random_suffix(deploy_stack, name):
    cluster = deploy_stack({**SMALL, "clusterName": name})
    for type_ in ("LoadBalancer", "TargetGroup"):
        assert all(len(given) + len("-1234567") <= 32 for given in cluster.of(type_))
