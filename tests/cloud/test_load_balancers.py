"""The network load balancer and the health of its targets."""

import json
import urllib.error
import urllib.request

import pytest


@pytest.fixture
def elb(aws):
    return aws("elbv2")


@pytest.fixture
def group(elb, network):
    arn = elb.create_target_group(
        Name=network.vpc[-20:],
        Protocol="TCP",
        Port=6443,
        VpcId=network.vpc,
        TargetType="ip",
        HealthCheckProtocol="HTTPS",
        HealthCheckPath="/readyz",
        HealthCheckIntervalSeconds=5,
        HealthCheckTimeoutSeconds=5,
        HealthyThresholdCount=2,
        UnhealthyThresholdCount=2,
    )["TargetGroups"][0]["TargetGroupArn"]
    yield arn
    elb.delete_target_group(TargetGroupArn=arn)


@pytest.fixture
def control(emulator):
    def call(method, body=None):
        request = urllib.request.Request(  # noqa: S310 - a loopback address
            f"{emulator.endpoint}/_lab/target-health",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        with urllib.request.urlopen(request) as answer:  # noqa: S310 - a loopback address
            return json.load(answer)

    return call


def _health(elb, group):
    answer = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {one["Target"]["Id"]: one["TargetHealth"] for one in answer}


@pytest.mark.parametrize(("kind", "part"), [("network", "net"), ("application", "app")])
def test_the_arn_names_the_kind(elb, network, kind, part):
    balancer = elb.create_load_balancer(
        Name=f"kind-{part}",
        Type=kind,
        Scheme="internal",
        Subnets=[network.subnet, network.other_subnet],
        SecurityGroups=[network.group],
        Tags=[{"Key": "kind", "Value": kind}],
    )["LoadBalancers"][0]
    arn = balancer["LoadBalancerArn"]

    assert f":loadbalancer/{part}/kind-{part}/" in arn
    (tags,) = elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert tags["Tags"] == [{"Key": "kind", "Value": kind}]
    elb.delete_load_balancer(LoadBalancerArn=arn)


def test_health_check_and_attributes_read_back(elb, group):
    wanted = {
        "deregistration_delay.timeout_seconds": "30",
        "target_health_state.unhealthy.connection_termination.enabled": "false",
        "target_health_state.unhealthy.draining_interval_seconds": "60",
        "preserve_client_ip.enabled": "false",
    }
    elb.modify_target_group_attributes(
        TargetGroupArn=group, Attributes=[{"Key": k, "Value": v} for k, v in wanted.items()]
    )
    (read,) = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    attributes = elb.describe_target_group_attributes(TargetGroupArn=group)["Attributes"]
    assert (read["HealthCheckProtocol"], read["HealthCheckPath"]) == ("HTTPS", "/readyz")
    assert (read["HealthCheckIntervalSeconds"], read["UnhealthyThresholdCount"]) == (5, 2)
    assert wanted.items() <= {a["Key"]: a["Value"] for a in attributes}.items()


def test_without_reports_a_target_is_healthy_while_its_instance_runs(elb, group, network, ec2):
    instance = network.launch()
    address = instance["PrivateIpAddress"]
    targets = [{"Id": address}, {"Id": address.rpartition(".")[0] + ".14"}]
    elb.register_targets(TargetGroupArn=group, Targets=targets)

    health = _health(elb, group)
    assert health[address] == {"State": "healthy"}
    assert health[targets[1]["Id"]]["State"] == "unhealthy"

    ec2.stop_instances(InstanceIds=[instance["InstanceId"]])
    assert _health(elb, group)[address]["Reason"] == "Target.FailedHealthChecks"


def test_reports_decide_and_can_be_dropped(elb, group, network, control):
    address = network.launch()["PrivateIpAddress"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address}])

    control("POST", {"target": address, "state": "initial"})
    assert _health(elb, group)[address]["State"] == "initial"
    control("POST", {"target": address, "state": "unhealthy", "group": network.vpc[-20:]})
    assert _health(elb, group)[address]["State"] == "unhealthy"
    control("POST", {"target": address, "state": "draining", "group": "another"})
    assert _health(elb, group)[address]["State"] == "unhealthy"
    assert len([r for r in control("GET") if r["target"] == address]) == 3

    control("DELETE", {"target": address})
    assert _health(elb, group)[address] == {"State": "healthy"}
    assert [r for r in control("GET") if r["target"] == address] == []


def test_a_target_that_is_not_registered_is_never_healthy(elb, group, network, control):
    address = network.launch()["PrivateIpAddress"]
    control("POST", {"target": address, "state": "healthy"})
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": address}])

    assert _health(elb, group) == {}
    (one,) = elb.describe_target_health(TargetGroupArn=group, Targets=[{"Id": address}])[
        "TargetHealthDescriptions"
    ]
    assert one["TargetHealth"]["State"] == "unused"
    control("DELETE", {"target": address})


def test_a_target_that_drains_is_listed_until_its_connections_end(elb, group, network, control):
    address = network.launch()["PrivateIpAddress"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": address}])
    control("POST", {"target": address, "state": "draining"})
    elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": address}])

    assert _health(elb, group)[address]["State"] == "draining"
    assert _health(elb, group)[address]["Reason"] == "Target.DeregistrationInProgress"
    control("DELETE", {"target": address})
    assert _health(elb, group) == {}


@pytest.mark.parametrize("body", [{"target": "10.0.0.9", "state": "fine"}, {"state": "healthy"}, 7])
def test_a_report_that_means_nothing_is_refused(control, body):
    with pytest.raises(urllib.error.HTTPError) as refused:
        control("POST", body)
    with refused.value:
        assert refused.value.code == 400
    assert [r for r in control("GET") if r["target"] == "10.0.0.9"] == []
