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
    load_balancer = elb.create_load_balancer(
        Name=f"kind-{part}",
        Type=kind,
        Scheme="internal",
        Subnets=[network.subnet, network.other_subnet],
        SecurityGroups=[network.group],
        Tags=[{"Key": "kind", "Value": kind}],
    )["LoadBalancers"][0]
    arn = load_balancer["LoadBalancerArn"]

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


@pytest.fixture
def attached(emulator, tmp_path):
    """Somebody runs machines and load balancers; call it to report."""

    def call(method, path, body=None):
        request = urllib.request.Request(  # noqa: S310 - a loopback address
            f"{emulator.endpoint}/_lab/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
        )
        urllib.request.urlopen(request).close()  # noqa: S310 - a loopback address

    call("PUT", "controller", {"consoles": str(tmp_path)})
    yield call
    call("DELETE", "controller")


@pytest.fixture
def load_balancer(elb, network):
    arguments = {"Name": f"b{network.vpc[-12:]}", "Type": "network", "Scheme": "internal"}
    one = elb.create_load_balancer(
        **arguments,
        Subnets=[network.subnet, network.other_subnet],
        SecurityGroups=[network.group],
    )["LoadBalancers"][0]
    yield one
    elb.delete_load_balancer(LoadBalancerArn=one["LoadBalancerArn"])


@pytest.fixture
def listener(elb, group, load_balancer):
    action = {"Type": "forward", "TargetGroupArn": group}
    return elb.create_listener(
        LoadBalancerArn=load_balancer["LoadBalancerArn"],
        Protocol="TCP",
        Port=6443,
        DefaultActions=[action],
    )["Listeners"][0]


def _interfaces(ec2, load_balancer):
    description = f"ELB {load_balancer['LoadBalancerArn'].partition(':loadbalancer/')[2]}"
    filters = [{"Name": "description", "Values": [description]}]
    return ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]


def test_a_network_load_balancer_has_the_name_of_its_domain(load_balancer):
    identity = load_balancer["LoadBalancerArn"].rpartition("/")[2]
    name = f"{load_balancer['LoadBalancerName']}-{identity}.elb.eu-central-1.amazonaws.com"
    assert load_balancer["DNSName"] == name


def test_it_has_an_interface_in_each_subnet_and_no_other(elb, ec2, network, load_balancer):
    found = _interfaces(ec2, load_balancer)
    assert {one["SubnetId"] for one in found} == {network.subnet, network.other_subnet}
    assert len(found) == 2
    for one in found:
        assert [group["GroupId"] for group in one["Groups"]] == [network.group]
        assert one["InterfaceType"] == "network_load_balancer"
        assert one["RequesterManaged"] is True
        subnet = ec2.describe_subnets(SubnetIds=[one["SubnetId"]])["Subnets"][0]["CidrBlock"]
        assert one["PrivateIpAddress"].rpartition(".")[0] == subnet.rpartition(".")[0]


def test_its_interfaces_follow_its_groups_and_go_with_it(elb, ec2, network, load_balancer):
    other = ec2.create_security_group(GroupName="b", Description="b", VpcId=network.vpc)["GroupId"]
    arn = load_balancer["LoadBalancerArn"]
    elb.set_security_groups(LoadBalancerArn=arn, SecurityGroups=[other])
    groups = [one["Groups"] for one in _interfaces(ec2, load_balancer)]
    assert [[group["GroupId"] for group in some] for some in groups] == [[other], [other]]
    elb.delete_load_balancer(LoadBalancerArn=arn)
    assert _interfaces(ec2, load_balancer) == []


def test_without_groups_its_interfaces_are_in_none(elb, ec2, network):
    one = elb.create_load_balancer(
        Name=f"n{network.vpc[-12:]}", Type="network", Subnets=[network.subnet]
    )["LoadBalancers"][0]
    assert [found["Groups"] for found in _interfaces(ec2, one)] == [[]]
    elb.delete_load_balancer(LoadBalancerArn=one["LoadBalancerArn"])


def test_where_somebody_runs_it_it_is_active_once_it_answers(elb, attached, load_balancer):
    arn = load_balancer["LoadBalancerArn"]

    def state():
        found = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"][0]
        return found["State"]["Code"]

    assert state() == "provisioning"
    attached("POST", "load-balancers", {"arn": arn})
    assert state() == "active"


def test_a_target_is_initial_until_its_load_balancer_reports(elb, group, attached, listener):
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.5"}])
    assert _health(elb, group)["10.0.0.5"]["State"] == "initial"


def test_a_target_of_a_group_without_a_listener_is_not_in_use(elb, group, attached):
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": "10.0.0.5"}])
    found = _health(elb, group)["10.0.0.5"]
    assert (found["State"], found["Reason"]) == ("unused", "Target.NotInUse")


def test_a_deregistered_target_drains_until_its_load_balancer_is_done(
    elb, network, group, attached, listener
):
    name, targets = network.vpc[-20:], [{"Id": "10.0.0.5"}]

    def report(state):
        body = {"target": "10.0.0.5", "state": state, "group": name}
        attached("POST", "target-health", body)

    elb.register_targets(TargetGroupArn=group, Targets=targets)
    report("healthy")
    elb.deregister_targets(TargetGroupArn=group, Targets=targets)
    found = _health(elb, group)["10.0.0.5"]
    assert found["State"] == "draining"
    assert found["Reason"] == "Target.DeregistrationInProgress"
    report("unused")
    assert _health(elb, group) == {}

    # What was said before says nothing of a target that comes back.
    elb.register_targets(TargetGroupArn=group, Targets=targets)
    assert _health(elb, group)["10.0.0.5"]["State"] == "initial"
    report("healthy")
    elb.deregister_targets(TargetGroupArn=group, Targets=targets)
    elb.register_targets(TargetGroupArn=group, Targets=targets)
    assert _health(elb, group)["10.0.0.5"]["State"] == "initial"
    # Registering it twice changes nothing.
    report("healthy")
    elb.register_targets(TargetGroupArn=group, Targets=targets)
    assert _health(elb, group)["10.0.0.5"]["State"] == "healthy"
    elb.deregister_targets(TargetGroupArn=group, Targets=targets)
    report("unused")
