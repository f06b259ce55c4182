"""A target group belongs to one load balancer, a port to one listener, and protection protects."""

import itertools

import pytest
from botocore.exceptions import ClientError

_names = itertools.count()


@pytest.fixture
def elb(aws):
    return aws("elbv2")


def _load_balancer(elb, network, name=None):
    found = elb.create_load_balancer(
        Name=name or f"listeners-{next(_names)}",
        Type="network",
        Scheme="internal",
        Subnets=[network.subnet, network.other_subnet],
    )
    return found["LoadBalancers"][0]["LoadBalancerArn"]


def _group(elb, network):
    found = elb.create_target_group(
        Name=f"listeners-{next(_names)}",
        Protocol="TCP",
        Port=6443,
        VpcId=network.vpc,
        TargetType="ip",
    )
    return found["TargetGroups"][0]["TargetGroupArn"]


def _listen(elb, load_balancer, group, port=6443):
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    found = elb.create_listener(
        LoadBalancerArn=load_balancer, Protocol="TCP", Port=port, DefaultActions=actions
    )
    return found["Listeners"][0]["ListenerArn"]


def test_a_target_group_is_refused_to_a_second_load_balancer(elb, network):
    first, second, group = (
        _load_balancer(elb, network),
        _load_balancer(elb, network),
        _group(elb, network),
    )
    _listen(elb, first, group)
    with pytest.raises(ClientError, match="TargetGroupAssociationLimit"):
        _listen(elb, second, group)
    listener = _listen(elb, second, _group(elb, network))
    actions = [{"Type": "forward", "TargetGroupArn": group}]
    with pytest.raises(ClientError, match="TargetGroupAssociationLimit"):
        elb.modify_listener(ListenerArn=listener, DefaultActions=actions)


def test_a_target_group_is_free_again_when_its_listeners_are_gone(elb, network):
    first, second, group = (
        _load_balancer(elb, network),
        _load_balancer(elb, network),
        _group(elb, network),
    )
    elb.delete_listener(ListenerArn=_listen(elb, first, group))
    _listen(elb, second, group)
    elb.delete_load_balancer(LoadBalancerArn=second)
    _listen(elb, first, group)


def test_one_load_balancer_may_use_a_target_group_twice(elb, network):
    load_balancer, group = _load_balancer(elb, network), _group(elb, network)
    _listen(elb, load_balancer, group)
    _listen(elb, load_balancer, group, port=443)


def test_a_port_has_one_listener(elb, network):
    load_balancer = _load_balancer(elb, network)
    _listen(elb, load_balancer, _group(elb, network))
    with pytest.raises(ClientError, match="DuplicateListener"):
        _listen(elb, load_balancer, _group(elb, network))


@pytest.mark.parametrize("protected", [True, False])
def test_deletion_protection_holds_until_it_is_off(elb, network, protected):
    arn = _load_balancer(elb, network)
    attribute = {"Key": "deletion_protection.enabled", "Value": str(protected).lower()}
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=[attribute])
    if protected:
        with pytest.raises(ClientError, match="OperationNotPermitted"):
            elb.delete_load_balancer(LoadBalancerArn=arn)
        assert elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    else:
        elb.delete_load_balancer(LoadBalancerArn=arn)


def test_a_load_balancers_name_is_given_once(elb, network):
    _load_balancer(elb, network, "listeners-once")
    with pytest.raises(ClientError, match="DuplicateLoadBalancerName"):
        _load_balancer(elb, network, "listeners-once")


def test_a_target_group_names_the_load_balancer_that_there_is(elb, network):
    first, group = _load_balancer(elb, network), _group(elb, network)
    _listen(elb, first, group)
    elb.delete_load_balancer(LoadBalancerArn=first)
    second = _load_balancer(elb, network)
    _listen(elb, second, group)
    (known,) = elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"]
    assert known["LoadBalancerArns"] == [second]
