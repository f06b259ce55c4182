"""Reads of a Terraform AWS provider 6.x (inside Pulumi's plugin 7) are answered.

For the types of `lab/engine/aws/tokens.py`; docs/lab.md says what was compared. Tags of buckets, which
differ most, are in `test_buckets.py`.
"""

import pytest


@pytest.mark.parametrize(
    "attribute", ["enableDnsHostnames", "enableDnsSupport", "enableNetworkAddressUsageMetrics"]
)
def test_attributes_of_a_vpc(ec2, network, attribute):
    name = attribute[0].upper() + attribute[1:]
    answer = ec2.describe_vpc_attribute(VpcId=network.vpc, Attribute=attribute)
    assert answer[name] == {"Value": attribute == "enableDnsSupport"}


def test_attributes_of_an_instance(ec2, network):
    instance = network.launch()
    one = {"InstanceId": instance["InstanceId"]}
    for attribute, value in {
        "disableApiStop": False,
        "disableApiTermination": False,
        "instanceInitiatedShutdownBehavior": "stop",
    }.items():
        answer = ec2.describe_instance_attribute(**one, Attribute=attribute)
        assert answer[attribute[0].upper() + attribute[1:]] == {"Value": value}
    credit = ec2.describe_instance_credit_specifications(InstanceIds=[one["InstanceId"]])
    assert [found["InstanceId"] for found in credit["InstanceCreditSpecifications"]] == [
        one["InstanceId"]
    ]
    network.terminate(instance)


def test_the_domain_name_of_an_address(ec2):
    allocation = ec2.allocate_address(Domain="vpc")["AllocationId"]
    try:
        found = ec2.describe_addresses_attribute(
            AllocationIds=[allocation], Attribute="domain-name"
        )["Addresses"]
        assert [one["AllocationId"] for one in found] == [allocation]
    finally:
        ec2.release_address(AllocationId=allocation)


def test_capacity_and_attributes_of_a_load_balancer_and_its_listener(aws, network):
    elb = aws("elbv2")
    made = elb.create_load_balancer(Name="newer", Type="network", Subnets=[network.subnet])
    one = {"LoadBalancerArn": made["LoadBalancers"][0]["LoadBalancerArn"]}
    group = elb.create_target_group(Name="newer", Protocol="TCP", Port=6443, VpcId=network.vpc)
    target = {"TargetGroupArn": group["TargetGroups"][0]["TargetGroupArn"]}
    try:
        assert "MinimumLoadBalancerCapacity" not in elb.describe_capacity_reservation(**one)
        secondary = {"Key": "secondary_ips.auto_assigned.per_subnet", "Value": "0"}
        elb.modify_load_balancer_attributes(**one, Attributes=[secondary])
        assert secondary in elb.describe_load_balancer_attributes(**one)["Attributes"]
        assert elb.describe_target_group_attributes(**target)["Attributes"]
        listener = elb.create_listener(
            **one, Protocol="TCP", Port=6443, DefaultActions=[{"Type": "forward", **target}]
        )["Listeners"][0]["ListenerArn"]
        found = elb.describe_listener_attributes(ListenerArn=listener)["Attributes"]
        assert {"Key": "tcp.idle_timeout.seconds", "Value": "350"} in found
    finally:
        elb.delete_load_balancer(**one)
        elb.delete_target_group(**target)


def test_a_bucket_says_its_region_and_keeps_the_least_size_of_transitions(aws):
    s3, bucket = aws("s3"), {"Bucket": "read-by-a-newer-provider"}
    place = {"LocationConstraint": "eu-central-1"}
    s3.create_bucket(**bucket, CreateBucketConfiguration=place)
    try:
        assert s3.head_bucket(**bucket)["BucketRegion"] == "eu-central-1"
        least = "all_storage_classes_128K"
        rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}}
        s3.put_bucket_lifecycle_configuration(
            **bucket,
            TransitionDefaultMinimumObjectSize=least,
            LifecycleConfiguration={
                "Rules": [{**rule, "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]
            },
        )
        found = s3.get_bucket_lifecycle_configuration(**bucket)
        assert found["TransitionDefaultMinimumObjectSize"] == least
    finally:
        s3.delete_bucket(**bucket)


@pytest.mark.parametrize("protected", [False, True])
def test_a_log_group_is_made_with_or_without_deletion_protection(aws, protected):
    logs, name = aws("logs"), f"newer-{protected}"
    logs.create_log_group(logGroupName=name, deletionProtectionEnabled=protected)
    (found,) = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    assert found["logGroupName"] == name
